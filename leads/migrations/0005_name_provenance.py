import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0004_shared_identities"),
        ("routing", "0006_message_search"),
    ]

    operations = [
        migrations.AddField(
            model_name="formername",
            name="added_at",
            field=models.DateTimeField(null=True, verbose_name="added at"),
        ),
        migrations.AddField(
            model_name="formername",
            name="added_by",
            field=models.CharField(max_length=160, null=True, verbose_name="added by"),
        ),
        migrations.AddField(
            model_name="formername",
            name="added_through",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="routing.source",
                verbose_name="through source",
            ),
        ),
        migrations.AddField(
            model_name="lead",
            name="name_added_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="added at"),
        ),
        migrations.AddField(
            model_name="lead",
            name="name_added_by",
            field=models.CharField(editable=False, max_length=160, null=True, verbose_name="added by"),
        ),
        migrations.AddField(
            model_name="lead",
            name="name_added_through",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="routing.source",
                verbose_name="through source",
            ),
        ),
    ]
