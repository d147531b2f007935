from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from phonenumbers import SUPPORTED_REGIONS

from operators.models import Operator

WEIGHTS = (1, 100)


def phone_region(region: str) -> None:
    """Validates that Google's numbering data contain the region."""
    if region not in SUPPORTED_REGIONS:
        raise ValidationError(_("%(region)s is not a region such as RU or KZ."), params={"region": region})


class Strategy(models.TextChoices):
    """The names of `routing.selection.STRATEGIES`."""

    WEIGHTED_RANDOM = "weighted_random", _("at random by weight")
    SMOOTH = "smooth", _("in turn by weight")
    LEAST_LOADED = "least_loaded", _("to the least loaded")


class SourceQuerySet(models.QuerySet["Source"]):
    def current(self) -> "SourceQuerySet":
        return self.filter(archived_at__isnull=True)


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

    def __str__(self) -> str:
        return self.name

    @property
    def region(self) -> str:
        return self.phone_region or settings.PHONE_REGION


class RosterQuerySet(models.QuerySet["RosterEntry"]):
    def current(self) -> "RosterQuerySet":
        """Entries of open sources, without archived operators."""
        return self.filter(operator__archived_at__isnull=True, source__archived_at__isnull=True)


class RosterEntry(models.Model):
    """An operator on a source's roster, and its weight there. `progress` is kept for `selection.smooth`."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="roster", verbose_name=_("source"))
    operator = models.ForeignKey(Operator, models.CASCADE, related_name="rosters", verbose_name=_("operator"))
    weight = models.PositiveSmallIntegerField(
        _("weight"),
        default=10,
        validators=[MinValueValidator(WEIGHTS[0]), MaxValueValidator(WEIGHTS[1])],
        help_text=_("Share of this source's contacts relative to the others' weights, 1 to 100."),
    )

    progress = models.FloatField(default=0.0, editable=False)
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
