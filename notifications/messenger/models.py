from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from operators.models import Operator
from routing.models import Contact

LONGEST_ADDRESS = 1000
LONGEST_REASON = 200
LEASE = timedelta(seconds=60)  # of a notice: longer than any sending takes
CLOCK_TOLERANCE = timedelta(seconds=2)


class Kind(models.TextChoices):
    TELEGRAM = "telegram", _("Telegram")
    EMAIL = "email", _("e-mail")
    WEBHOOK = "webhook", _("webhook")


class ChannelQuerySet(models.QuerySet["Channel"]):
    def current(self) -> "ChannelQuerySet":
        return self.filter(removed_at__isnull=True)

    def working(self) -> "ChannelQuerySet":
        """What messages can be sent to."""
        return self.current().filter(is_active=True).exclude(address="")


class Channel(models.Model):
    """Where an operator, or a user who supervises, gets messages. The address of Telegram is the id of the chat, empty
    until the person has linked it. A removed channel keeps its notices, which are a history."""

    operator = models.ForeignKey(
        Operator, models.CASCADE, null=True, blank=True, related_name="channels", verbose_name=_("operator")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="channels", verbose_name=_("user")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    address = models.CharField(_("address"), max_length=LONGEST_ADDRESS, blank=True)
    types: Any = models.JSONField(_("events"), null=True, blank=True)  # null: only new contacts
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_to = models.TimeField(_("quiet until"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=2, blank=True, choices=settings.LANGUAGES)
    secret = models.CharField(max_length=80, blank=True, editable=False)  # signs what goes to a webhook
    is_active = models.BooleanField(_("switched on"), default=True)
    off_reason = models.CharField(_("why it was switched off"), max_length=LONGEST_REASON, blank=True, editable=False)
    removed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        constraints = [
            models.CheckConstraint(
                condition=Q(operator__isnull=True, user__isnull=False) | Q(operator__isnull=False, user__isnull=True),
                name="channel_of_an_operator_or_a_user",
            ),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False),
                name="channel_quiet_hours_have_both_ends",
            ),
            models.UniqueConstraint(
                fields=["operator", "kind", "address"],
                condition=Q(operator__isnull=False, removed_at__isnull=True),
                name="channel_once_per_operator",
            ),
            models.UniqueConstraint(
                fields=["user", "kind", "address"],
                condition=Q(user__isnull=False, removed_at__isnull=True),
                name="channel_once_per_user",
            ),
            # A chat is one person: a button that is pressed in it acts for that operator.
            models.UniqueConstraint(
                fields=["address"],
                condition=Q(kind=Kind.TELEGRAM, operator__isnull=False, removed_at__isnull=True) & ~Q(address=""),
                name="channel_chat_of_one_operator",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner}, {self.get_kind_display()}"

    fresh_secret: str | None = None  # not stored: for the one answer that shows it

    @property
    def owner(self) -> Any:
        return self.operator if self.operator_id else self.user

    @property
    def wanted_types(self) -> list[str]:
        """The types of events that this channel is for."""
        return ["contact.assigned"] if self.types is None else list(self.types)


class LinkToken(models.Model):
    """A token of a one-time link to the bot, of which only the hash is stored."""

    digest = models.CharField(max_length=64, unique=True)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.channel_id} until {self.expires_at:%Y-%m-%d %H:%M}"


class Alarm(models.Model):
    """A state that supervisors should know of. It is told once when it has lasted a little, and once when it is over.

    `subject` is the id of what it is about, empty if it is about the whole service; `details` has the names and numbers
    for the text, as they were when it was told.
    """

    class Kind(models.TextChoices):
        WAITING = "waiting", _("a contact waits too long")
        UNSERVED = "unserved", _("nobody on duty serves a source")
        FULL = "full", _("everybody on duty is at the limit")
        NOBODY_REACTED = "nobody_reacted", _("nobody has reacted to a contact")
        MISSED = "missed", _("somebody was taken off duty after missed offers")
        WEBHOOK_OFF = "webhook_off", _("a webhook was switched off")
        CHANNEL_OFF = "channel_off", _("a channel was switched off")
        SLOW = "slow", _("waits are much longer than usual")
        MISSES = "misses", _("somebody misses many more offers than usual")
        CHECK = "check", _("check_routing found an inconsistency")

    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    subject = models.CharField(_("subject"), max_length=40, blank=True)
    details: Any = models.JSONField(default=dict)
    since = models.DateTimeField(_("since"))
    seen_at = models.DateTimeField(_("last seen at"))
    told_at = models.DateTimeField(_("told at"), null=True)
    over_at = models.DateTimeField(_("over at"), null=True)

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(over_at__isnull=True), name="alarm_once_while_it_lasts"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject}".strip()


class NoticeQuerySet(models.QuerySet["Notice"]):
    def due(self) -> "NoticeQuerySet":
        """What is to be sent or edited now, and no worker is busy with. A lease of a killed worker runs out; so does
        one from a future that a clock set back has left behind."""
        now = timezone.now()
        is_over = Q(leased_until__lte=now) | Q(leased_until__gt=now + LEASE + CLOCK_TOLERANCE)
        return self.filter(Q(leased_until__isnull=True) | is_over, due_at__lte=now)


class Notice(models.Model):
    """One message to one channel, about a contact or about an alarm.

    `due_at` is when it is to be sent, or its message edited; null: nothing to do. Texts are made when they are sent and
    not stored; `shown` is a hash of what the message in Telegram says.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("to be sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        SKIPPED = "skipped", _("not sent, because it was no longer true")

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="notices", verbose_name=_("channel"))
    type = models.CharField(_("event"), max_length=32)
    event_id = models.BigIntegerField(null=True)
    contact = models.ForeignKey(
        Contact, models.CASCADE, null=True, related_name="notices", db_index=False, verbose_name=_("contact")
    )
    alarm = models.ForeignKey(Alarm, models.CASCADE, null=True, related_name="notices", verbose_name=_("alarm"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.PENDING)
    due_at = models.DateTimeField(_("due at"), null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    message_id = models.BigIntegerField(null=True)
    shown = models.CharField(max_length=32, blank=True)
    error = models.CharField(_("error"), max_length=LONGEST_REASON, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("message sent")
        verbose_name_plural = _("messages sent")
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "event_id"], condition=Q(event_id__isnull=False), name="notice_once_per_event"
            ),
            models.UniqueConstraint(
                fields=["channel", "alarm", "type"], condition=Q(alarm__isnull=False), name="notice_once_per_alarm"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="notice_due"),
            models.Index(fields=["contact"], condition=Q(contact__isnull=False), name="notice_by_contact"),
            models.Index(fields=["channel", "sent_at"], name="notice_by_channel"),
            models.Index(fields=["created_at"], name="notice_by_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.contact_id or self.alarm_id}"


class MessengerState(models.Model):
    """What the workers share: how far the feed of events has been read, and the state of the bot. One row.

    One worker at a time serves the bot, because Telegram allows one reader of updates, and its limits are for the bot
    as a whole: `holder` until `held_until`, which it renews. `token_digest` tells when the bot is another one.
    """

    token_digest = models.CharField(max_length=64, blank=True)
    username = models.CharField(max_length=64, blank=True)
    offset = models.BigIntegerField(default=0)  # the next update to ask for
    holder = models.CharField(max_length=32, blank=True)
    held_until = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)  # Telegram has answered 429
    cursor = models.CharField(max_length=200, blank=True)  # of the feed of events, for all kinds of channels
    checked_at = models.DateTimeField(null=True)  # when alarms have last looked for inconsistencies

    def __str__(self) -> str:
        return self.username


class TelegramUpdate(models.Model):
    """An update that Telegram has sent to the webhook, until a worker has handled it."""

    update_id = models.BigIntegerField(primary_key=True)
    body: Any = models.JSONField()
    received_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.update_id)
