from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from phonenumbers import SUPPORTED_REGIONS

from operators.models import Operator, WeeklyModel

WEIGHTS = (1, 100)
ACCEPT_WITHIN = (10, 30 * 86_400)  # seconds
MAX_OFFERS = (1, 100)
MISSED = (1, 100)
WHOLE_NUMBERS = "ZZ"  # in place of a region: phone numbers without "+" begin with their country code


def phone_region(region: str) -> None:
    """Validates that Google's numbering data contain the region."""
    if region not in SUPPORTED_REGIONS:
        raise ValidationError(_("%(region)s is not a region such as RU or KZ."), params={"region": region})


class Strategy(models.TextChoices):
    """The names of `routing.selection.STRATEGIES`."""

    WEIGHTED_RANDOM = "weighted_random", _("at random by weight")
    SMOOTH = "smooth", _("in turn by weight")
    LEAST_LOADED = "least_loaded", _("to the least loaded")


class PhoneFormat(models.TextChoices):
    """How a source writes phone numbers that come without "+"."""

    NATIONAL = "national", _("as dialled in the region")
    INTERNATIONAL = "international", _("with country code, as WhatsApp does")


class UnreadablePhones(models.TextChoices):
    """What happens when a phone that is all that is known of a client cannot be one."""

    REFUSE = "refuse", _("refuse the contact")
    KEEP = "keep", _("keep the text as an id in this channel")


class SourceQuerySet(models.QuerySet["Source"]):
    def current(self) -> "SourceQuerySet":
        return self.filter(archived_at__isnull=True)

    def archived(self) -> "SourceQuerySet":
        return self.filter(archived_at__isnull=False)


class Source(models.Model):
    """A bot or channel that contacts come from."""

    name = models.CharField(pgettext_lazy("of a source", "name"), max_length=100)
    description = models.CharField(_("description"), max_length=500, null=True, blank=True)
    phone_region = models.CharField(
        _("phone region"),
        max_length=2,
        blank=True,
        validators=[phone_region],
        help_text=_("Country of phone numbers that come without “+”, such as RU or KZ. Empty: the service's default."),
    )
    phone_format = models.CharField(
        _("phone format"),
        max_length=16,
        choices=PhoneFormat,
        default=PhoneFormat.NATIONAL,
        db_default=PhoneFormat.NATIONAL,
        help_text=_("How this source writes phone numbers that come without “+”."),
    )
    unreadable_phones = models.CharField(
        _("unreadable phones"),
        max_length=16,
        choices=UnreadablePhones,
        default=UnreadablePhones.REFUSE,
        db_default=UnreadablePhones.REFUSE,
        help_text=_("What to do when a phone that cannot be one is all that is known of a client."),
    )
    strategy = models.CharField(
        _("strategy"),
        max_length=16,
        choices=Strategy,
        default=Strategy.WEIGHTED_RANDOM,
        help_text=_("How the next operator is chosen among those who are free."),
    )
    is_sticky = models.BooleanField(
        _("known clients to their operator"),
        default=False,
        help_text=_("A known client goes to the operator of its last contact, if on duty and below the limit."),
    )
    may_rename = models.BooleanField(
        _("may rename known clients"),
        default=True,
        db_default=True,
        help_text=_(
            "Names from this source replace the name of a known client. Otherwise they only fill an empty one."
        ),
    )
    accept_within = models.PositiveIntegerField(
        _("take within, seconds"),
        null=True,
        blank=True,
        validators=[MinValueValidator(ACCEPT_WITHIN[0]), MaxValueValidator(ACCEPT_WITHIN[1])],
        help_text=_("An operator who has not taken a contact by then loses it to another one. Empty: no limit."),
    )
    max_offers = models.PositiveSmallIntegerField(
        _("offers at most"),
        default=3,
        db_default=3,
        validators=[MinValueValidator(MAX_OFFERS[0]), MaxValueValidator(MAX_OFFERS[1])],
        help_text=_("To how many operators in turn a contact is offered before it stays in the queue."),
    )
    off_duty_after_missed = models.PositiveSmallIntegerField(
        _("off duty after missed offers"),
        null=True,
        blank=True,
        validators=[MinValueValidator(MISSED[0]), MaxValueValidator(MISSED[1])],
        help_text=_("So many in a row take the operator off duty. Empty: never."),
    )
    # Closed by its opening hours until then; null: open. Turned by `routing.opening_hours` at the edges.
    opens_at = models.DateTimeField(_("opens at"), null=True, blank=True, editable=False)
    next_edge_at = models.DateTimeField(null=True, editable=False)  # when the opening hours turn next; null: never
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = SourceQuerySet.as_manager()

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(archived_at__isnull=True), name="source_name_unique_among_current"
            )
        ]
        indexes = [
            models.Index(fields=["next_edge_at"], condition=Q(next_edge_at__isnull=False), name="source_by_next_edge")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def region(self) -> str:
        """Where phone numbers without "+" are read: ISO 3166-1, or WHOLE_NUMBERS."""
        if self.phone_format == PhoneFormat.INTERNATIONAL:
            return WHOLE_NUMBERS
        return self.phone_region or settings.PHONE_REGION


class OpeningHours(WeeklyModel):
    """When a source routes contacts. A source without shifts is always open."""

    source = models.OneToOneField(Source, models.CASCADE, related_name="opening_hours", verbose_name=_("source"))

    class Meta:
        default_permissions = ()
        verbose_name = _("opening hours")
        verbose_name_plural = _("opening hours")

    def __str__(self) -> str:
        return f"{self.source}: {self.time_zone}"


class RosterQuerySet(models.QuerySet["RosterEntry"]):
    def current(self) -> "RosterQuerySet":
        """Entries of open sources, without archived operators."""
        return self.filter(operator__archived_at__isnull=True, source__archived_at__isnull=True)

    def in_hours(self) -> "RosterQuerySet":
        """Entries of sources that are not outside their opening hours: what holds back intake and queue."""
        return self.filter(source__opens_at__isnull=True)


class RosterEntry(models.Model):
    """An operator on a source's roster, and its weight there. `progress` is kept for `selection.smooth`, `left_level`
    for `turns`: the others' level when the operator filled up."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="roster", verbose_name=_("source"))
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="rosters", verbose_name=_("operator"))
    weight = models.PositiveSmallIntegerField(
        _("weight"),
        default=10,
        validators=[MinValueValidator(WEIGHTS[0]), MaxValueValidator(WEIGHTS[1])],
        help_text=_("Share of this source's contacts relative to the others' weights, 1 to 100."),
    )

    progress = models.FloatField(default=0.0, editable=False)
    left_level = models.FloatField(null=True, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    objects = RosterQuerySet.as_manager()

    class Meta:
        verbose_name = _("roster entry")
        verbose_name_plural = _("roster")
        constraints = [
            models.UniqueConstraint(fields=["source", "operator"], name="roster_one_weight_per_source_and_operator"),
            models.CheckConstraint(condition=Q(weight__range=WEIGHTS), name="roster_weight_1_to_100"),
        ]

    def __str__(self) -> str:
        return f"{self.operator}: {self.weight}"
