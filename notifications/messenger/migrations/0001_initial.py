import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    # Databases of the time before 0.1.0 have these.
    replaces = [
        ("messenger", "0001_messages"),
        ("messenger", "0002_messages_sent"),
        ("messenger", "0003_pauses_move_to_the_operator"),
        ("messenger", "0004_time_out_alarms"),
        ("messenger", "0005_unusual_alarms"),
    ]

    initial = True

    dependencies = [
        ("operators", "0001_initial"),
        ("routing", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MessengerState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token_digest", models.CharField(blank=True, max_length=64)),
                ("username", models.CharField(blank=True, max_length=64)),
                ("offset", models.BigIntegerField(default=0)),
                ("holder", models.CharField(blank=True, max_length=32)),
                ("held_until", models.DateTimeField(null=True)),
                ("paused_until", models.DateTimeField(null=True)),
                ("cursor", models.CharField(blank=True, max_length=200)),
                ("checked_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="TelegramUpdate",
            fields=[
                ("update_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("body", models.JSONField()),
                ("received_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Alarm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("waiting", "a contact waits too long"),
                            ("unserved", "nobody on duty serves a source"),
                            ("full", "everybody on duty is at the limit"),
                            ("nobody_reacted", "nobody has reacted to a contact"),
                            ("missed", "somebody was taken off duty after missed offers"),
                            ("webhook_off", "a webhook was switched off"),
                            ("channel_off", "a channel was switched off"),
                            ("slow", "waits are much longer than usual"),
                            ("misses", "somebody misses many more offers than usual"),
                            ("check", "check_routing found an inconsistency"),
                        ],
                        max_length=16,
                        verbose_name="kind",
                    ),
                ),
                ("subject", models.CharField(blank=True, max_length=40, verbose_name="subject")),
                ("details", models.JSONField(default=dict)),
                ("since", models.DateTimeField(verbose_name="since")),
                ("seen_at", models.DateTimeField(verbose_name="last seen at")),
                ("told_at", models.DateTimeField(null=True, verbose_name="told at")),
                ("over_at", models.DateTimeField(null=True, verbose_name="over at")),
            ],
            options={
                "verbose_name": "alarm",
                "verbose_name_plural": "alarms",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("over_at__isnull", True)),
                        fields=("kind", "subject"),
                        name="alarm_once_while_it_lasts",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Channel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("telegram", "Telegram"), ("email", "e-mail"), ("webhook", "webhook")],
                        max_length=8,
                        verbose_name="kind",
                    ),
                ),
                ("address", models.CharField(blank=True, max_length=1000, verbose_name="address")),
                ("types", models.JSONField(blank=True, null=True, verbose_name="events")),
                ("quiet_from", models.TimeField(blank=True, null=True, verbose_name="quiet from")),
                ("quiet_to", models.TimeField(blank=True, null=True, verbose_name="quiet until")),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        choices=[("en", "English"), ("ru", "Русский")],
                        max_length=2,
                        verbose_name="language",
                    ),
                ),
                ("secret", models.CharField(blank=True, editable=False, max_length=80)),
                ("is_active", models.BooleanField(default=True, verbose_name="switched on")),
                (
                    "off_reason",
                    models.CharField(
                        blank=True, editable=False, max_length=200, verbose_name="why it was switched off"
                    ),
                ),
                ("removed_at", models.DateTimeField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                (
                    "operator",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="channels",
                        to="operators.operator",
                        verbose_name="operator",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="channels",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "channel",
                "verbose_name_plural": "channels",
            },
        ),
        migrations.CreateModel(
            name="LinkToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="messenger.channel"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type", models.CharField(max_length=32, verbose_name="event")),
                ("event_id", models.BigIntegerField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "to be sent"),
                            ("sent", "sent"),
                            ("failed", "failed"),
                            ("skipped", "not sent, because it was no longer true"),
                        ],
                        default="pending",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("due_at", models.DateTimeField(null=True, verbose_name="due at")),
                ("leased_until", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("message_id", models.BigIntegerField(null=True)),
                ("shown", models.CharField(blank=True, max_length=32)),
                ("error", models.CharField(blank=True, max_length=200, verbose_name="error")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent at")),
                (
                    "alarm",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="messenger.alarm",
                        verbose_name="alarm",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="messenger.channel",
                        verbose_name="channel",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="routing.contact",
                        verbose_name="contact",
                    ),
                ),
            ],
            options={
                "verbose_name": "message sent",
                "verbose_name_plural": "messages sent",
            },
        ),
        migrations.AddConstraint(
            model_name="channel",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("operator__isnull", True), ("user__isnull", False)),
                    models.Q(("operator__isnull", False), ("user__isnull", True)),
                    _connector="OR",
                ),
                name="channel_of_an_operator_or_a_user",
            ),
        ),
        migrations.AddConstraint(
            model_name="channel",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("quiet_from__isnull", True), ("quiet_to__isnull", True)),
                    models.Q(("quiet_from__isnull", False), ("quiet_to__isnull", False)),
                    _connector="OR",
                ),
                name="channel_quiet_hours_have_both_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="channel",
            constraint=models.UniqueConstraint(
                condition=models.Q(("operator__isnull", False), ("removed_at__isnull", True)),
                fields=("operator", "kind", "address"),
                name="channel_once_per_operator",
            ),
        ),
        migrations.AddConstraint(
            model_name="channel",
            constraint=models.UniqueConstraint(
                condition=models.Q(("removed_at__isnull", True), ("user__isnull", False)),
                fields=("user", "kind", "address"),
                name="channel_once_per_user",
            ),
        ),
        migrations.AddConstraint(
            model_name="channel",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("kind", "telegram"),
                    ("operator__isnull", False),
                    ("removed_at__isnull", True),
                    models.Q(("address", ""), _negated=True),
                ),
                fields=("address",),
                name="channel_chat_of_one_operator",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="notice_due"),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("contact__isnull", False)), fields=["contact"], name="notice_by_contact"
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["channel", "sent_at"], name="notice_by_channel"),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(fields=["created_at"], name="notice_by_moment"),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("event_id__isnull", False)),
                fields=("channel", "event_id"),
                name="notice_once_per_event",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("alarm__isnull", False)),
                fields=("channel", "alarm", "type"),
                name="notice_once_per_alarm",
            ),
        ),
    ]
