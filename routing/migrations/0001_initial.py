import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import core.db.commit_order
import routing.models.source
from core.db import commit_order
from core.db.search import index_words


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("changes", "0001_initial"),  # the function commit_order
        ("leads", "0001_initial"),
        ("operators", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Upkeep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("swept_at", models.DateTimeField(null=True)),
                ("ticked_at", models.DateTimeField(null=True)),
                ("tallied_at", models.DateTimeField(null=True)),
                ("tallied_until", models.DateTimeField(null=True)),
                ("keys_forgotten_until", models.DateTimeField(null=True)),
                ("pruned_at", models.DateTimeField(null=True)),
                ("checked_at", models.DateTimeField(null=True)),
                ("check_findings", models.PositiveIntegerField(db_default=0, default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Contact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("message", models.TextField(null=True, verbose_name="message")),
                ("warnings", models.JSONField(editable=False, null=True, verbose_name="warnings")),
                (
                    "waiting_reason",
                    models.CharField(
                        choices=[
                            ("no_operators", "the source has no roster"),
                            ("all_inactive", "everybody is off duty"),
                            ("all_full", "everybody is at the limit"),
                            ("none_available", "nobody is available"),
                            ("source_closed", "the source is closed"),
                            ("returned", "put back by hand"),
                            ("all_capped", "everybody had enough for now"),
                            ("closed_hours", "outside opening hours"),
                            ("nobody_reacted", "nobody has reacted"),
                        ],
                        editable=False,
                        max_length=16,
                        null=True,
                        verbose_name="reason",
                    ),
                ),
                (
                    "idempotency_key",
                    models.CharField(editable=False, max_length=255, null=True, verbose_name="idempotency key"),
                ),
                ("idempotency_fingerprint", models.BinaryField(max_length=16, null=True)),
                ("assigned_at", models.DateTimeField(null=True, verbose_name="assigned at")),
                ("is_forced", models.BooleanField(default=False, verbose_name="beyond the limit, by hand")),
                ("accepted_at", models.DateTimeField(null=True, verbose_name="taken at")),
                ("first_reaction_at", models.DateTimeField(null=True, verbose_name="first reply at")),
                ("due_at", models.DateTimeField(null=True, verbose_name="to be taken by")),
                ("due_left", models.FloatField(editable=False, null=True)),
                ("former_operator_ids", models.JSONField(editable=False, null=True)),
                ("resolved_at", models.DateTimeField(null=True, verbose_name="resolved at")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                (
                    "lead",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contacts",
                        to="leads.lead",
                        verbose_name="lead",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="contacts",
                        to="operators.operator",
                        verbose_name="operator",
                    ),
                ),
            ],
            options={
                "verbose_name": "contact",
                "verbose_name_plural": "contacts",
            },
        ),
        migrations.CreateModel(
            name="ContactNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField(max_length=2000, verbose_name="note")),
                ("by", models.CharField(max_length=200, verbose_name="by")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notes",
                        to="routing.contact",
                        verbose_name="contact",
                    ),
                ),
            ],
            options={
                "verbose_name": "note",
                "verbose_name_plural": "notes",
                "ordering": ["pk"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ReportProgress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("transaction", models.BigIntegerField(default=-1)),
                ("event", models.BigIntegerField(default=0)),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="report_progress_one_row")],
            },
        ),
        migrations.CreateModel(
            name="ReportTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("length", models.PositiveSmallIntegerField(choices=[(1, "Hour"), (2, "Day"), (3, "Month")])),
                ("source", models.BigIntegerField()),
                ("operator", models.BigIntegerField()),
                ("start", models.DateTimeField()),
                ("registered", models.PositiveIntegerField(default=0)),
                ("assigned", models.PositiveIntegerField(default=0)),
                ("accepted", models.PositiveIntegerField(default=0)),
                ("declined", models.PositiveIntegerField(default=0)),
                ("timed_out", models.PositiveIntegerField(default=0)),
                ("resolved", models.PositiveIntegerField(default=0)),
                ("reopened", models.PositiveIntegerField(default=0)),
                ("durations", models.BinaryField(default=b"")),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["length", "source", "operator", "start"], name="report_tally_by_time")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("length", "start", "source", "operator"), name="report_tally_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Source",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, verbose_name="name")),
                ("description", models.CharField(blank=True, max_length=500, null=True, verbose_name="description")),
                (
                    "phone_region",
                    models.CharField(
                        blank=True,
                        help_text="Country of phone numbers that come without “+”, such as RU or KZ. Empty: the service's default.",
                        max_length=2,
                        validators=[routing.models.source.phone_region],
                        verbose_name="phone region",
                    ),
                ),
                (
                    "phone_format",
                    models.CharField(
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
                (
                    "unreadable_phones",
                    models.CharField(
                        choices=[("refuse", "refuse the contact"), ("keep", "keep the text as an id in this channel")],
                        db_default="refuse",
                        default="refuse",
                        help_text="What to do when a phone that cannot be one is all that is known of a client.",
                        max_length=16,
                        verbose_name="unreadable phones",
                    ),
                ),
                (
                    "strategy",
                    models.CharField(
                        choices=[
                            ("weighted_random", "at random by weight"),
                            ("smooth", "in turn by weight"),
                            ("least_loaded", "to the least loaded"),
                        ],
                        default="weighted_random",
                        help_text="How the next operator is chosen among those who are free.",
                        max_length=16,
                        verbose_name="strategy",
                    ),
                ),
                (
                    "is_sticky",
                    models.BooleanField(
                        default=False,
                        help_text="A known client goes to the operator of its last contact, if on duty and below the limit.",
                        verbose_name="known clients to their operator",
                    ),
                ),
                (
                    "may_rename",
                    models.BooleanField(
                        db_default=True,
                        default=True,
                        help_text="Names from this source replace the name of a known client. Otherwise they only fill an empty one.",
                        verbose_name="may rename known clients",
                    ),
                ),
                (
                    "accept_within",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="An operator who has not taken a contact by then loses it to another one. Empty: no limit.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(10),
                            django.core.validators.MaxValueValidator(2592000),
                        ],
                        verbose_name="take within, seconds",
                    ),
                ),
                (
                    "max_offers",
                    models.PositiveSmallIntegerField(
                        db_default=3,
                        default=3,
                        help_text="To how many operators in turn a contact is offered before it stays in the queue.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="offers at most",
                    ),
                ),
                (
                    "off_duty_after_missed",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="So many in a row take the operator off duty. Empty: never.",
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="off duty after missed offers",
                    ),
                ),
                ("opens_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="opens at")),
                ("next_edge_at", models.DateTimeField(editable=False, null=True)),
                (
                    "archived_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="archived at"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
            ],
            options={
                "verbose_name": "source",
                "verbose_name_plural": "sources",
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_edge_at__isnull", False)),
                        fields=["next_edge_at"],
                        name="source_by_next_edge",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("archived_at__isnull", True)),
                        fields=("name",),
                        name="source_name_unique_among_current",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OpeningHours",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("time_zone", models.CharField(max_length=64, verbose_name="time zone")),
                ("shifts", models.JSONField(verbose_name="weekly hours")),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "source",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="opening_hours",
                        to="routing.source",
                        verbose_name="source",
                    ),
                ),
            ],
            options={
                "verbose_name": "opening hours",
                "verbose_name_plural": "opening hours",
                "default_permissions": (),
            },
        ),
        migrations.AddField(
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
        migrations.CreateModel(
            name="Tally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("assigned", models.PositiveIntegerField()),
                ("drawn", models.PositiveIntegerField(null=True)),
                ("taken", models.PositiveIntegerField(null=True)),
                ("by_hand", models.PositiveIntegerField(null=True)),
                ("choices", models.PositiveIntegerField(null=True)),
                ("broken", models.PositiveIntegerField(null=True)),
                ("expected", models.FloatField()),
                ("variance", models.FloatField()),
                ("at_stake", models.FloatField(null=True)),
                ("duty", models.FloatField(null=True)),
                ("limit", models.FloatField(null=True)),
                ("given_back", models.FloatField(null=True)),
                ("sticky", models.FloatField(null=True)),
                ("load", models.FloatField(null=True)),
                ("turn", models.FloatField(null=True)),
                ("leeway", models.FloatField(null=True)),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="operators.operator",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="routing.source",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WhatIf",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked", models.JSONField()),
                ("by", models.CharField(max_length=160)),
                (
                    "status",
                    models.CharField(
                        choices=[("running", "running"), ("done", "done"), ("refused", "refused")],
                        default="running",
                        max_length=8,
                    ),
                ),
                ("reason", models.JSONField(null=True)),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("taken_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "what-if",
                "verbose_name_plural": "what-ifs",
                "default_permissions": (),
                "indexes": [
                    models.Index(condition=models.Q(("status", "running")), fields=["id"], name="what_if_running")
                ],
            },
        ),
        migrations.CreateModel(
            name="ContactEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True, verbose_name="when")),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("registered", "registered"),
                            ("dequeued", "taken from the queue"),
                            ("reassigned", "routed afresh"),
                            ("given", "given by hand"),
                            ("returned", "put back into the queue"),
                            ("handed_over", "handed over"),
                            ("accepted", "taken"),
                            ("declined", "declined"),
                            ("touched", "first reply"),
                            ("timed_out", "not taken in time"),
                            ("resolved", "resolved"),
                            ("reopened", "reopened"),
                        ],
                        max_length=12,
                        verbose_name="what",
                    ),
                ),
                ("by", models.CharField(max_length=160, verbose_name="by whom")),
                (
                    "reason",
                    models.CharField(
                        choices=[
                            ("no_operators", "the source has no roster"),
                            ("all_inactive", "everybody is off duty"),
                            ("all_full", "everybody is at the limit"),
                            ("none_available", "nobody is available"),
                            ("source_closed", "the source is closed"),
                            ("returned", "put back by hand"),
                            ("all_capped", "everybody had enough for now"),
                            ("closed_hours", "outside opening hours"),
                            ("nobody_reacted", "nobody has reacted"),
                        ],
                        max_length=16,
                        null=True,
                        verbose_name="why",
                    ),
                ),
                ("note", models.CharField(max_length=200, null=True, verbose_name="in their words")),
                (
                    "strategy",
                    models.CharField(
                        choices=[
                            ("weighted_random", "at random by weight"),
                            ("smooth", "in turn by weight"),
                            ("least_loaded", "to the least loaded"),
                        ],
                        max_length=16,
                        null=True,
                        verbose_name="strategy",
                    ),
                ),
                ("draw", models.FloatField(null=True, verbose_name="draw")),
                ("evidence", models.BinaryField(null=True)),
                (
                    "transaction",
                    models.BigIntegerField(db_default=core.db.commit_order.TransactionNumber(), editable=False),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="history",
                        to="routing.contact",
                        verbose_name="contact",
                    ),
                ),
                (
                    "from_operator",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="operators.operator",
                        verbose_name="from whom",
                    ),
                ),
                (
                    "preferred",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="operators.operator",
                    ),
                ),
                (
                    "to_operator",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="operators.operator",
                        verbose_name="to whom",
                    ),
                ),
            ],
            options={
                "verbose_name": "history line",
                "verbose_name_plural": "history",
                "indexes": [
                    models.Index(
                        condition=models.Q(("strategy__isnull", False)),
                        fields=["at", "id"],
                        name="event_decisions_by_moment",
                    ),
                    models.Index(condition=models.Q(("what", "given")), fields=["at"], name="event_given_by_moment"),
                    models.Index(
                        condition=models.Q(("what", "reopened")), fields=["at"], name="event_reopened_by_moment"
                    ),
                    models.Index(
                        condition=models.Q(("note__isnull", False)), fields=["contact"], name="event_with_a_note"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Exclusion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("until_free", models.BooleanField(db_default=False, default=False)),
                (
                    "contact",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="exclusions",
                        to="routing.contact",
                        verbose_name="contact",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="operators.operator",
                        verbose_name="operator",
                    ),
                ),
            ],
            options={
                "verbose_name": "exclusion",
                "verbose_name_plural": "exclusions",
                "indexes": [
                    models.Index(
                        condition=models.Q(("until_free", True)), fields=["operator"], name="exclusion_until_free"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contact", "operator"), name="exclusion_once_per_contact_and_operator"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("query", models.CharField(max_length=1000, verbose_name="filters")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "saved view",
                "verbose_name_plural": "saved views",
                "ordering": ["name", "pk"],
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("user", "name"), name="saved_view_one_name_per_user")],
            },
        ),
        migrations.CreateModel(
            name="RosterEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "weight",
                    models.PositiveSmallIntegerField(
                        default=10,
                        help_text="Share of this source's contacts relative to the others' weights, 1 to 100.",
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100),
                        ],
                        verbose_name="weight",
                    ),
                ),
                ("progress", models.FloatField(default=0.0, editable=False)),
                ("left_level", models.FloatField(editable=False, null=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rosters",
                        to="operators.operator",
                        verbose_name="operator",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="roster",
                        to="routing.source",
                        verbose_name="source",
                    ),
                ),
            ],
            options={
                "verbose_name": "roster entry",
                "verbose_name_plural": "roster",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "operator"), name="roster_one_weight_per_source_and_operator"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weight__range", (1, 100))), name="roster_weight_1_to_100"
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("operator__isnull", False), ("resolved_at__isnull", True)),
                fields=["operator", "id"],
                name="contact_open_by_operator",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("operator__isnull", False), ("resolved_at__isnull", True)),
                fields=["id"],
                name="contact_open_by_age",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("operator__isnull", True), ("resolved_at__isnull", True)),
                fields=["source", "id"],
                name="contact_waiting_by_age",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("operator__isnull", True), ("resolved_at__isnull", True)),
                fields=["source", "waiting_reason", "id"],
                name="contact_waiting_by_reason",
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["source", "-id"], name="contact_by_source"),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("operator__isnull", False)), fields=["operator", "-id"], name="contact_by_operator"
            ),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(fields=["created_at"], name="contact_by_moment"),
        ),
        migrations.AddIndex(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="contact_by_due_moment"
            ),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.UniqueConstraint(
                condition=models.Q(("idempotency_key__isnull", False)),
                fields=("source", "idempotency_key"),
                name="contact_once_per_source_and_idempotency_key",
            ),
        ),
        migrations.AddConstraint(
            model_name="contact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("waiting_reason__isnull", True),
                    models.Q(("operator__isnull", True), ("resolved_at__isnull", True)),
                    _connector="OR",
                ),
                name="contact_has_a_reason_only_while_waiting",
            ),
        ),
        migrations.AddConstraint(
            model_name="tally",
            constraint=models.UniqueConstraint(fields=("hour", "source", "operator"), name="tally_once_per_hour"),
        ),
        commit_order.index_transactions("routing_contactevent"),
        index_words("contact_message_words", table="routing_contact", column="message"),
    ]
