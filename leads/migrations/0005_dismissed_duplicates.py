from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0004_erased_leads"),
    ]

    operations = [
        migrations.AddField(
            model_name="possibleduplicate",
            name="dismissed_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="not the same person, said at"),
        ),
    ]
