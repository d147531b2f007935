from django.db import migrations, models

from leads.live_indexes import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("leads", "0012_contact_source_without_own_index"),
    ]

    operations = [
        AddIndexLive(
            model_name="contact",
            index=models.Index(
                fields=["id"],
                condition=models.Q(operator__isnull=False, resolved_at__isnull=True),
                name="contact_open_by_age",
            ),
        ),
    ]
