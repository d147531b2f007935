from django.db import migrations
from django.db.models import Exists, OuterRef


def mark_merged_pairs(apps, schema_editor):
    merged = apps.get_model("leads", "Lead").objects.filter(merged_into__isnull=False)
    either = Exists(merged.filter(pk=OuterRef("lead"))) | Exists(merged.filter(pk=OuterRef("other")))
    apps.get_model("leads", "PossibleDuplicate").objects.filter(either, is_merged=False).update(is_merged=True)


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0008_possibleduplicate_is_merged"),
    ]

    operations = [
        migrations.RunPython(mark_merged_pairs, migrations.RunPython.noop),
    ]
