from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0001_initial"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="webhook",
            name="active_since",
        ),
        migrations.AddField(
            model_name="replay",
            name="until_change",
            field=models.BigIntegerField(default=9223372036854775807),
        ),
        migrations.AddField(
            model_name="replay",
            name="until_event",
            field=models.BigIntegerField(default=9223372036854775807),
        ),
        migrations.AddField(
            model_name="webhook",
            name="after_change",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="webhook",
            name="after_event",
            field=models.BigIntegerField(default=0),
        ),
    ]
