from typing import Any

from django.db import migrations, models


def forget_tallies(apps: Any, schema_editor: Any) -> None:
    """The next sweep, or report, makes them again from the history, with the new sums."""
    apps.get_model("routing", "Tally").objects.all().delete()
    apps.get_model("routing", "Upkeep").objects.update(tallied_until=None)


class Migration(migrations.Migration):
    """The new sums may be NULL, so that the version before can go on tallying."""

    dependencies = [("operators", "0001_initial"), ("routing", "0002_contact")]

    operations = [
        migrations.RunPython(forget_tallies, forget_tallies, elidable=True),
        migrations.AddField("tally", "by_hand", models.PositiveIntegerField(null=True)),
        migrations.AddField("tally", "broken", models.PositiveIntegerField(null=True)),
        migrations.AddField("tally", "choices", models.PositiveIntegerField(null=True)),
        migrations.AddField("tally", "drawn", models.PositiveIntegerField(null=True)),
        migrations.AddField("tally", "taken", models.PositiveIntegerField(null=True)),
        migrations.AddField("tally", "at_stake", models.FloatField(null=True)),
        migrations.AddField("tally", "duty", models.FloatField(null=True)),
        migrations.AddField("tally", "given_back", models.FloatField(null=True)),
        migrations.AddField("tally", "leeway", models.FloatField(null=True)),
        migrations.AddField("tally", "limit", models.FloatField(null=True)),
        migrations.AddField("tally", "load", models.FloatField(null=True)),
        migrations.AddField("tally", "sticky", models.FloatField(null=True)),
        migrations.AddField("tally", "turn", models.FloatField(null=True)),
        migrations.AddIndex(
            "contactevent",
            models.Index(condition=models.Q(("what", "given")), fields=["at"], name="event_given_by_moment"),
        ),
    ]
