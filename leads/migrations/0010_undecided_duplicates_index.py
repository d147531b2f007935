from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0009_mark_merged_pairs"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="possibleduplicate",
            index=models.Index(
                condition=models.Q(("dismissed_at__isnull", True), ("is_merged", False)),
                fields=["id"],
                name="duplicate_undecided",
            ),
        ),
    ]
