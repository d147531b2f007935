from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("routing", "0017_what_if")]

    operations = [
        migrations.AddField("upkeep", "checked_at", models.DateTimeField(null=True)),
        migrations.AddField("upkeep", "check_findings", models.PositiveIntegerField(default=0, db_default=0)),
    ]
