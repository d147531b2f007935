from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("routing", "0003_fairness_tallies"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="warnings",
            field=models.JSONField(editable=False, null=True, verbose_name="warnings"),
        ),
        migrations.AddField(
            model_name="source",
            name="phone_format",
            field=models.CharField(
                choices=[
                    ("national", "as dialled in the region"),
                    ("international", "with country code, as WhatsApp does"),
                ],
                db_default="national",
                default="national",
                help_text="How this source writes phone numbers that come without “+”.",
                max_length=16,
                verbose_name="phone format",
            ),
        ),
        migrations.AddField(
            model_name="source",
            name="unreadable_phones",
            field=models.CharField(
                choices=[("refuse", "refuse the contact"), ("keep", "keep the text as an id in this channel")],
                db_default="refuse",
                default="refuse",
                help_text="What to do when a phone that cannot be one is all that is known of a client.",
                max_length=16,
                verbose_name="unreadable phones",
            ),
        ),
    ]
