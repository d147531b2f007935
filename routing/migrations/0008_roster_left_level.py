from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("routing", "0007_source_may_rename")]

    operations = [migrations.AddField("rosterentry", "left_level", models.FloatField(editable=False, null=True))]
