from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.ids import LARGEST
from routing.models import Source

ANSWER_LENGTH = 200  # characters of an answer that are kept

# Without values: a statement that is planned once for all values could not use the indexes with this condition.
PENDING = Q(ended_at__isnull=True)
FAILED = Q(ended_at__isnull=False, delivered_at__isnull=True)
DELIVERED = Q(delivered_at__isnull=False)


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def active(self) -> "WebhookQuerySet":
        return self.filter(is_active=True)

    def with_due_deliveries(self) -> "WebhookQuerySet":
        return self.active().filter(Exists(Delivery.objects.due().filter(webhook=OuterRef("pk"))))


class Webhook(models.Model):
    """An address of a customer's program that is called with every event of these types.

    Written by `webhooks.actions`; how well its deliveries go is noted by `webhooks.results`.
    """

    class Disabled(models.TextChoices):
        """Why the service has switched it off."""

        GONE = "gone", _("it answered 410: the address no longer exists")
        FAILING = "failing", _("every delivery failed for three days")

    url = models.CharField(_("address"), max_length=1000)
    types = models.JSONField(_("types of events"), null=True)  # null: all
    source = models.ForeignKey(
        Source, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("source")
    )
    with_message = models.BooleanField(_("with the text of the message"), default=False)
    is_active = models.BooleanField(pgettext_lazy("of a webhook", "active"), default=True)
    # The newest events when it was switched on, of contacts and of configuration; a replay only sends those up to them.
    after_event = models.BigIntegerField(default=0)
    after_change = models.BigIntegerField(default=0)
    secret = models.CharField(max_length=100)
    old_secret = models.CharField(max_length=100, blank=True)  # signs as well, until then
    old_secret_until = models.DateTimeField(null=True)
    disabled_reason = models.CharField(_("why it is off"), max_length=10, null=True, choices=Disabled)
    disabled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    # How well it goes. All are reset when it is switched on.
    failing_since = models.DateTimeField(_("failing since"), null=True)
    failures = models.PositiveIntegerField(default=0)  # attempts in a row
    catching_up_since = models.DateTimeField(null=True)  # sends a backlog, paced
    next_claim_at = models.DateTimeField(null=True)  # while it is paced

    objects = WebhookQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return _("Webhook %(id)s") % {"id": self.pk}

    def secrets(self) -> list[str]:
        """Those that sign now, the current one first."""
        is_old_valid = self.old_secret and self.old_secret_until and self.old_secret_until > timezone.now()
        return [self.secret, self.old_secret] if is_old_valid else [self.secret]


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def pending(self) -> "DeliveryQuerySet":
        return self.filter(PENDING)

    def with_status(self, status: "Delivery.Status") -> "DeliveryQuerySet":
        return self.filter({"pending": PENDING, "delivered": DELIVERED, "failed": FAILED}[status])

    def due(self) -> "DeliveryQuerySet":
        """To be sent now, and with no worker."""
        now = timezone.now()
        return self.pending().filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now), next_at__lte=now)

    def first_of_contact(self) -> "DeliveryQuerySet":
        """Without those that an earlier event of the same contact has to precede."""
        earlier = Delivery.objects.pending().filter(
            webhook=OuterRef("webhook"), contact_id=OuterRef("contact_id"), event_id__lt=OuterRef("event_id")
        )
        return self.filter(~Exists(earlier))


class Delivery(models.Model):
    """One event for one webhook. The body is not stored: it is rendered when it is sent."""

    class Status(models.TextChoices):
        PENDING = "pending", pgettext_lazy("delivery", "pending")
        DELIVERED = "delivered", pgettext_lazy("delivery", "delivered")
        FAILED = "failed", pgettext_lazy("delivery", "failed")

    webhook = models.ForeignKey(
        Webhook, models.CASCADE, related_name="deliveries", db_index=False, verbose_name=_("webhook")
    )
    event_id = models.BigIntegerField(_("event"))
    type = models.CharField(_("type"), max_length=40)
    contact_id = models.BigIntegerField(_("contact"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)  # since it became pending
    next_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    planned_at = models.DateTimeField(default=timezone.now)  # when `next_at` or `leased_until` was set
    leased_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # null: it is pending
    delivered_at = models.DateTimeField(_("delivered at"), null=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [models.UniqueConstraint(fields=["webhook", "event_id"], name="delivery_once_per_event")]
        indexes = [
            models.Index(fields=["webhook", "next_at"], condition=PENDING, name="delivery_pending_by_moment"),
            models.Index(
                fields=["webhook", "contact_id", "event_id"],
                condition=PENDING,
                name="delivery_pending_by_contact",
            ),
            models.Index(fields=["webhook", "-id"], condition=FAILED, name="delivery_failed"),
            models.Index(fields=["webhook", "-id"], name="delivery_by_webhook"),
            models.Index(fields=["created_at"], name="delivery_by_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} {self.type}"

    @property
    def status(self) -> "Delivery.Status":
        if self.ended_at is None:
            return self.Status.PENDING
        return self.Status.DELIVERED if self.delivered_at else self.Status.FAILED

    @property
    def message_id(self) -> str:
        """The header `webhook-id`: the same at every repetition, by which a receiver recognises one."""
        return f"evt_{self.event_id}"


class Attempt(models.Model):
    """One call of a webhook's address."""

    class Error(models.TextChoices):
        STATUS = "status", _("it answered with an error")
        REDIRECT = "redirect", _("it answered with a redirect, which is not followed")
        TIMEOUT = "timeout", _("no complete answer in time")
        UNKNOWN_HOST = "unknown_host", _("the name of the host is not known")
        PRIVATE_ADDRESS = "private_address", _("the address belongs to a private network")
        UNREACHABLE = "unreachable", _("no connection")
        TLS = "tls", _("no trusted encryption")
        BROKEN_ANSWER = "broken_answer", _("the connection broke, or the answer is not HTTP")
        NO_EVENT = "no_event", _("the event is no longer kept")

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="log")
    at = models.DateTimeField(_("when"))
    status = models.PositiveSmallIntegerField(_("answered"), null=True)
    duration_ms = models.PositiveIntegerField(_("duration, ms"))
    error = models.CharField(_("error"), max_length=20, null=True, choices=Error)
    answer = models.CharField(_("answer"), max_length=ANSWER_LENGTH, blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.status or self.error}"


class Replay(models.Model):
    """Events to be sent to one webhook again, page by page, by the worker. Deleted when it is done."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="replays")
    cursor = models.CharField(max_length=200)
    since = models.DateTimeField(null=True)  # events before it are left out
    # The newest events when it was asked for, of contacts and of configuration: later ones are sent anyway.
    until_event = models.BigIntegerField(default=LARGEST)
    until_change = models.BigIntegerField(default=LARGEST)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.webhook_id} after {self.cursor}"


class DeliveryCount(models.Model):
    """How many attempts have ended in which way, for the metrics."""

    outcome = models.CharField(max_length=20, unique=True)
    count = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.outcome}: {self.count}"
