import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("routing", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("prefix", models.CharField(max_length=16, unique=True, verbose_name="prefix")),
                ("digest", models.CharField(max_length=64)),
                ("lineage", models.UUIDField(db_index=True, default=uuid.uuid4)),
                ("expires_at", models.DateTimeField(null=True, verbose_name="expires at")),
                ("revoked_at", models.DateTimeField(null=True, verbose_name="revoked at")),
                ("last_used_at", models.DateTimeField(null=True, verbose_name="last used at")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("minute", models.DateTimeField(null=True)),
                ("taken", models.PositiveIntegerField(default=0)),
                ("taken_before", models.PositiveIntegerField(db_default=0, default=0)),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="routing.source",
                        verbose_name="source",
                    ),
                ),
            ],
            options={
                "verbose_name": "API key",
                "verbose_name_plural": "API keys",
            },
        ),
    ]
