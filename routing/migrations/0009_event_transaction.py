"""Numbers the transactions that write history, so that it can be read while others write (ADR 0028)."""

from django.db import migrations

from core.db import commit_order


class Migration(migrations.Migration):
    dependencies = [("routing", "0008_roster_left_level"), ("changes", "0002_transaction")]

    operations = [commit_order.add_transaction_column("contactevent", "routing_contactevent")]
