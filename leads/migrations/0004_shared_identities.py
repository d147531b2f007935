"""Who added an identity, and identities that several leads share.

Cannot be undone while a shared identity has copies, which the former constraints do not allow: detach them first.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0003_former_names"),
        ("routing", "0004_phone_settings_and_warnings"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="identity",
            name="identity_unique_everywhere",
        ),
        migrations.RemoveConstraint(
            model_name="identity",
            name="identity_unique_in_its_source",
        ),
        migrations.AddField(
            model_name="identity",
            name="added_by",
            field=models.CharField(
                db_default="system", default="system", editable=False, max_length=160, verbose_name="added by"
            ),
        ),
        migrations.AddField(
            model_name="identity",
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
            model_name="identity",
            name="copy_of",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="copies",
                to="leads.identity",
            ),
        ),
        migrations.AddField(
            model_name="identity",
            name="is_shared",
            field=models.BooleanField(db_default=False, default=False, verbose_name="shared"),
        ),
        migrations.AddIndex(
            model_name="identity",
            index=models.Index(
                condition=models.Q(("copy_of__isnull", False)), fields=["copy_of", "lead"], name="identity_copies"
            ),
        ),
        migrations.AddConstraint(
            model_name="identity",
            constraint=models.UniqueConstraint(
                condition=models.Q(("copy_of__isnull", True), ("source__isnull", True)),
                fields=("kind", "value"),
                name="identity_unique_everywhere",
            ),
        ),
        migrations.AddConstraint(
            model_name="identity",
            constraint=models.UniqueConstraint(
                condition=models.Q(("copy_of__isnull", True), ("source__isnull", False)),
                fields=("source", "value"),
                name="identity_unique_in_its_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="identity",
            constraint=models.CheckConstraint(
                condition=models.Q(("copy_of__isnull", True), ("is_shared", True), _connector="OR"),
                name="identity_only_shared_ones_have_copies",
            ),
        ),
    ]
