from django.db import migrations, models

from leads.live_indexes import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("leads", "0015_search_by_part"),
    ]

    operations = [
        AddIndexLive(
            model_name="lead",
            index=models.Index(condition=models.Q(erased_at__isnull=False), fields=["id"], name="lead_erased"),
        ),
    ]
