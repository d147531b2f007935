from django.db import migrations, models

from leads.live_indexes import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("leads", "0013_contact_open_by_age"),
    ]

    operations = [
        AddIndexLive(
            model_name="contact",
            index=models.Index(
                fields=["source", "waiting_reason", "id"],
                condition=models.Q(operator__isnull=True, resolved_at__isnull=True),
                name="contact_waiting_by_reason",
            ),
        ),
    ]
