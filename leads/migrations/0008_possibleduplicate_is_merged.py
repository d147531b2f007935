from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0007_merged_leads_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="possibleduplicate",
            name="is_merged",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
