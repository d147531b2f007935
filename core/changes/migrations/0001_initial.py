import django.db.models.deletion
from django.db import migrations, models

import core.db.commit_order
from core.db import commit_order


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.RunPython(commit_order.create_function, commit_order.drop_function),
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="when")),
                ("by", models.CharField(max_length=160, verbose_name="by whom")),
                (
                    "via",
                    models.CharField(
                        choices=[
                            ("page", "through the back-office"),
                            ("api", "through the API"),
                            ("command", "by a command"),
                            ("messenger", "through the messenger"),
                            ("schedule", "by the schedule"),
                            ("rule", "by a rule"),
                        ],
                        max_length=16,
                        verbose_name="which way",
                    ),
                ),
                ("what", models.CharField(max_length=40, verbose_name="what")),
                ("operator_id", models.BigIntegerField(null=True)),
                ("source_id", models.BigIntegerField(null=True)),
                ("subject", models.CharField(blank=True, max_length=160)),
                ("subject_id", models.BigIntegerField(null=True)),
                ("before", models.JSONField()),
                ("after", models.JSONField()),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "transaction",
                    models.BigIntegerField(db_default=core.db.commit_order.TransactionNumber(), editable=False),
                ),
                (
                    "reverts",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reverted_by",
                        to="changes.change",
                    ),
                ),
            ],
            options={
                "verbose_name": "change",
                "verbose_name_plural": "changes",
                "permissions": [("revert_change", "Can revert changes of configuration")],
                "indexes": [
                    models.Index(fields=["operator_id", "id"], name="change_by_operator"),
                    models.Index(fields=["source_id", "id"], name="change_by_source"),
                ],
            },
        ),
        commit_order.index_transactions("changes_change"),
    ]
