"""Numbers the transactions that write changes, so that they can be read while others are written (ADR 0028)."""

from django.db import migrations

from core.db import commit_order


class Migration(migrations.Migration):
    dependencies = [("changes", "0001_initial")]

    operations = [
        migrations.RunPython(commit_order.create_function, commit_order.drop_function),
        commit_order.add_transaction_column("change", "changes_change"),
    ]
