import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    # Databases of the time before 0.1.0 have these.
    replaces = [("notifications", "0001_webhooks")]

    initial = True

    dependencies = [
        ("routing", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event_id", models.BigIntegerField(verbose_name="event")),
                ("type", models.CharField(max_length=40, verbose_name="type")),
                ("contact_id", models.BigIntegerField(null=True, verbose_name="contact")),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("next_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="next attempt")),
                ("planned_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("leased_until", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("delivered_at", models.DateTimeField(null=True, verbose_name="delivered at")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
            ],
            options={
                "verbose_name": "delivery",
                "verbose_name_plural": "deliveries",
            },
        ),
        migrations.CreateModel(
            name="DeliveryCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("outcome", models.CharField(max_length=20, unique=True)),
                ("count", models.PositiveBigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="FeedPosition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True)),
                ("cursor", models.CharField(max_length=200)),
            ],
        ),
        migrations.CreateModel(
            name="Attempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="when")),
                ("status", models.PositiveSmallIntegerField(null=True, verbose_name="answered")),
                ("duration_ms", models.PositiveIntegerField(verbose_name="duration, ms")),
                (
                    "error",
                    models.CharField(
                        choices=[
                            ("status", "it answered with an error"),
                            ("redirect", "it answered with a redirect, which is not followed"),
                            ("timeout", "no complete answer in time"),
                            ("unknown_host", "the name of the host is not known"),
                            ("private_address", "the address belongs to a private network"),
                            ("unreachable", "no connection"),
                            ("tls", "no trusted encryption"),
                            ("broken_answer", "the connection broke, or the answer is not HTTP"),
                            ("no_event", "the event is no longer kept"),
                        ],
                        max_length=20,
                        null=True,
                        verbose_name="error",
                    ),
                ),
                ("answer", models.CharField(blank=True, max_length=200, verbose_name="answer")),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="log", to="notifications.delivery"
                    ),
                ),
            ],
            options={
                "verbose_name": "attempt",
                "verbose_name_plural": "attempts",
            },
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("url", models.CharField(max_length=1000, verbose_name="address")),
                ("types", models.JSONField(null=True, verbose_name="types of events")),
                ("with_message", models.BooleanField(default=False, verbose_name="with the text of the message")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
                ("active_since", models.DateTimeField(default=django.utils.timezone.now)),
                ("secret", models.CharField(max_length=100)),
                ("old_secret", models.CharField(blank=True, max_length=100)),
                ("old_secret_until", models.DateTimeField(null=True)),
                (
                    "disabled_reason",
                    models.CharField(
                        choices=[
                            ("gone", "it answered 410: the address no longer exists"),
                            ("failing", "every delivery failed for three days"),
                        ],
                        max_length=10,
                        null=True,
                        verbose_name="why it is off",
                    ),
                ),
                ("disabled_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="updated at")),
                ("failing_since", models.DateTimeField(null=True, verbose_name="failing since")),
                ("failures", models.PositiveIntegerField(default=0)),
                ("catching_up_since", models.DateTimeField(null=True)),
                ("next_claim_at", models.DateTimeField(null=True)),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
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
                "verbose_name": "webhook",
                "verbose_name_plural": "webhooks",
            },
        ),
        migrations.CreateModel(
            name="Replay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("cursor", models.CharField(max_length=200)),
                ("since", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "webhook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="replays", to="notifications.webhook"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="delivery",
            name="webhook",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="deliveries",
                to="notifications.webhook",
                verbose_name="webhook",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)),
                fields=["webhook", "next_at"],
                name="delivery_pending_by_moment",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)),
                fields=["webhook", "contact_id", "event_id"],
                name="delivery_pending_by_contact",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("delivered_at__isnull", True), ("ended_at__isnull", False)),
                fields=["webhook", "-id"],
                name="delivery_failed",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["webhook", "-id"], name="delivery_by_webhook"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["created_at"], name="delivery_by_moment"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(fields=("webhook", "event_id"), name="delivery_once_per_event"),
        ),
    ]
