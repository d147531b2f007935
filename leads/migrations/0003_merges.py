import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0002_idempotency_fingerprint"),
    ]

    operations = [
        migrations.AddField(
            model_name="identity",
            name="rank",
            field=models.IntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="lead",
            name="merged_into",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="leads.lead",
                verbose_name="merged into",
            ),
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("by", models.CharField(max_length=160, verbose_name="by whom")),
                ("undone_at", models.DateTimeField(null=True, verbose_name="undone at")),
                ("undone_by", models.CharField(max_length=160, null=True, verbose_name="undone by")),
                ("name_given", models.BooleanField(default=False)),
                ("survivor_updated_at", models.DateTimeField()),
                ("rank_added", models.PositiveIntegerField()),
                ("identities", models.JSONField(default=list)),
                ("contacts", models.JSONField(default=list)),
                ("pairs", models.JSONField(default=list)),
                (
                    "merged",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="leads.lead",
                        verbose_name="merged lead",
                    ),
                ),
                (
                    "survivor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="leads.lead",
                        verbose_name="survivor",
                    ),
                ),
            ],
            options={
                "verbose_name": "merge",
                "verbose_name_plural": "merges",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at__isnull", True)),
                        fields=("merged",),
                        name="merge_into_one_lead_at_a_time",
                    )
                ],
            },
        ),
    ]
