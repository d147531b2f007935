from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="idempotency_fingerprint",
            field=models.BinaryField(max_length=16, null=True),
        ),
    ]
