import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Operator",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("is_active", models.BooleanField(default=True, verbose_name="on duty")),
                (
                    "max_load",
                    models.PositiveSmallIntegerField(
                        help_text="How many contacts this operator may have open at once, 1 to 100.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="limit",
                    ),
                ),
                ("limit_set_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("current_load", models.PositiveIntegerField(default=0, editable=False, verbose_name="load")),
                (
                    "external_ref",
                    models.CharField(
                        blank=True,
                        help_text="By which your own systems know this person, such as a Telegram id. Unique.",
                        max_length=200,
                        null=True,
                        verbose_name="id in other systems",
                    ),
                ),
                (
                    "max_per_hour",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Counted between one full hour and the next, those given by hand as well. Empty: no limit.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100000),
                        ],
                        verbose_name="contacts an hour at most",
                    ),
                ),
                (
                    "max_per_day",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Counted between one midnight and the next, those given by hand as well. Empty: no limit.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100000),
                        ],
                        verbose_name="contacts a day at most",
                    ),
                ),
                (
                    "queue_pace",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="So that an operator who comes back is not flooded by the queue. Empty: the service's default.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(60),
                        ],
                        verbose_name="contacts a minute out of the queue",
                    ),
                ),
                ("counted_hour", models.DateTimeField(editable=False, null=True)),
                ("in_hour", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ("counted_day", models.DateTimeField(editable=False, null=True)),
                ("in_day", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                ("capped_until", models.DateTimeField(editable=False, null=True)),
                ("paced_until", models.DateTimeField(editable=False, null=True)),
                ("missed_in_a_row", models.PositiveIntegerField(db_default=0, default=0, editable=False)),
                (
                    "paused_until",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="paused until"),
                ),
                ("was_active", models.BooleanField(editable=False, null=True)),
                ("next_edge_at", models.DateTimeField(editable=False, null=True)),
                ("edges_done_at", models.DateTimeField(editable=False, null=True)),
                (
                    "archived_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="archived at"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                (
                    "user",
                    models.OneToOneField(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="operator",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="account",
                    ),
                ),
            ],
            options={
                "verbose_name": "operator",
                "verbose_name_plural": "operators",
                "permissions": [
                    ("answer_operator", "Can see, resolve and reopen the contacts of the operator that they are")
                ],
            },
        ),
        migrations.CreateModel(
            name="Absence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("start", models.DateTimeField(verbose_name="from")),
                ("end", models.DateTimeField(verbose_name="to")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                ("handover", models.BooleanField(default=False, verbose_name="hand over open contacts")),
                ("began_at", models.DateTimeField(editable=False, null=True)),
                ("ended_at", models.DateTimeField(editable=False, null=True)),
                ("was_active", models.BooleanField(editable=False, null=True)),
                ("moved", models.JSONField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="absences",
                        to="operators.operator",
                        verbose_name="operator",
                    ),
                ),
            ],
            options={
                "verbose_name": "absence",
                "verbose_name_plural": "absences",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Schedule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("time_zone", models.CharField(max_length=64, verbose_name="time zone")),
                ("shifts", models.JSONField(verbose_name="weekly hours")),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "operator",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="schedule",
                        to="operators.operator",
                        verbose_name="operator",
                    ),
                ),
            ],
            options={
                "verbose_name": "schedule",
                "verbose_name_plural": "schedules",
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="operator",
            index=models.Index(
                condition=models.Q(("next_edge_at__isnull", False)),
                fields=["next_edge_at"],
                name="operator_by_next_edge",
            ),
        ),
        migrations.AddIndex(
            model_name="operator",
            index=models.Index(
                condition=models.Q(("capped_until__isnull", False)), fields=["capped_until"], name="operator_by_cap"
            ),
        ),
        migrations.AddIndex(
            model_name="operator",
            index=models.Index(
                condition=models.Q(("paced_until__isnull", False)), fields=["paced_until"], name="operator_by_pace"
            ),
        ),
        migrations.AddConstraint(
            model_name="operator",
            constraint=models.UniqueConstraint(
                condition=models.Q(("archived_at__isnull", True)),
                fields=("external_ref",),
                name="operator_external_ref_unique_among_current",
            ),
        ),
        migrations.AddConstraint(
            model_name="operator",
            constraint=models.CheckConstraint(
                condition=models.Q(("max_load__range", (1, 100))), name="operator_limit_1_to_100"
            ),
        ),
        migrations.AddConstraint(
            model_name="operator",
            constraint=models.CheckConstraint(
                condition=models.Q(("current_load__gte", 0)), name="operator_load_not_negative"
            ),
        ),
        migrations.AddIndex(
            model_name="absence",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)), fields=["operator", "start"], name="absence_current"
            ),
        ),
        migrations.AddConstraint(
            model_name="absence",
            constraint=models.CheckConstraint(
                condition=models.Q(("end__gt", models.F("start"))), name="absence_ends_after_it_begins"
            ),
        ),
    ]
