from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0003_merges"),
    ]

    operations = [
        migrations.AddField(
            model_name="lead",
            name="erased_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="erased at"),
        ),
    ]
