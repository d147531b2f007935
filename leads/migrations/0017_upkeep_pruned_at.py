from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0016_erased_leads_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="upkeep",
            name="pruned_at",
            field=models.DateTimeField(null=True),
        ),
    ]
