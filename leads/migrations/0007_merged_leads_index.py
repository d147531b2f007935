from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0006_keys_forgotten_until"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="lead",
            index=models.Index(condition=models.Q(("merged_into__isnull", False)), fields=["id"], name="lead_merged"),
        ),
    ]
