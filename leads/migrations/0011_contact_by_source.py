from django.db import migrations, models

from leads.live_indexes import AddIndexLive


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("leads", "0010_undecided_duplicates_index"),
    ]

    operations = [
        AddIndexLive(
            model_name="contact",
            index=models.Index(fields=["source", "-id"], name="contact_by_source"),
        ),
    ]
