import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Of source and id together serves what that of the source alone did."""

    dependencies = [
        ("leads", "0011_contact_by_source"),
    ]

    operations = [
        migrations.AlterField(
            model_name="contact",
            name="source",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contacts",
                to="routing.source",
                verbose_name="source",
            ),
        ),
    ]
