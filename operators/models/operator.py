from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

CAPS = (1, 100_000)  # range of `max_per_hour` and `max_per_day`
PACES = (1, 60)  # range of `queue_pace`: the clock that allows the next contact ticks once a second
LIMITS = (1, 100)  # range of `max_load`: contacts that one operator may have open simultaneously


class Obstacle(models.TextChoices):
    """Why an operator cannot take one more contact. An operator without an obstacle is eligible."""

    INACTIVE = "inactive", _("off duty")
    FULL = "full", _("at the limit")
    CAPPED = "capped", _("had enough for this hour or day")
    PACED = "paced", _("gets the next from the queue later")


def obstacle(*, is_on_duty: bool, load: int, limit: int, is_capped: bool) -> Obstacle | None:
    """Why an operator cannot take one more contact; None if it can. Who is paced can, but not out of the queue."""
    if not is_on_duty:
        return Obstacle.INACTIVE
    if load >= limit:
        return Obstacle.FULL
    return Obstacle.CAPPED if is_capped else None


class OperatorQuerySet(models.QuerySet["Operator"]):
    def current(self) -> "OperatorQuerySet":
        return self.filter(archived_at__isnull=True)

    def archived(self) -> "OperatorQuerySet":
        return self.filter(archived_at__isnull=False)

    def free(self) -> "OperatorQuerySet":
        """`Operator.obstacle is None` in SQL."""
        return self.current().filter(is_active=True, current_load__lt=F("max_load"), capped_until__isnull=True)

    def ready(self) -> "OperatorQuerySet":
        """Free, also for a contact that waits: `Operator.queue_obstacle is None` in SQL."""
        return self.free().filter(paced_until__isnull=True)


class Operator(models.Model):
    """A person who answers contacts. `current_load` is changed by `operators.load` only."""

    name = models.CharField(_("name"), max_length=100)
    is_active = models.BooleanField(_("on duty"), default=True)
    max_load = models.PositiveSmallIntegerField(
        _("limit"),
        validators=[MinValueValidator(LIMITS[0]), MaxValueValidator(LIMITS[1])],
        help_text=_("How many contacts this operator may have open at once, 1 to 100."),
    )
    limit_set_at = models.DateTimeField(default=timezone.now, editable=False)
    current_load = models.PositiveIntegerField(_("load"), default=0, editable=False)
    external_ref = models.CharField(
        _("id in other systems"),
        max_length=200,
        null=True,
        blank=True,
        help_text=_("By which your own systems know this person, such as a Telegram id. Unique."),
    )
    max_per_hour = models.PositiveIntegerField(
        _("contacts an hour at most"),
        null=True,
        blank=True,
        validators=[MinValueValidator(CAPS[0]), MaxValueValidator(CAPS[1])],
        help_text=_("Counted between one full hour and the next, those given by hand as well. Empty: no limit."),
    )
    max_per_day = models.PositiveIntegerField(
        _("contacts a day at most"),
        null=True,
        blank=True,
        validators=[MinValueValidator(CAPS[0]), MaxValueValidator(CAPS[1])],
        help_text=_("Counted between one midnight and the next, those given by hand as well. Empty: no limit."),
    )
    queue_pace = models.PositiveIntegerField(
        _("contacts a minute out of the queue"),
        null=True,
        blank=True,
        validators=[MinValueValidator(PACES[0]), MaxValueValidator(PACES[1])],
        help_text=_("So that an operator who comes back is not flooded by the queue. Empty: the service's default."),
    )
    # What `operators.caps` counts, of an operator who has caps: contacts since the begin of that hour and that day.
    counted_hour = models.DateTimeField(null=True, editable=False)
    in_hour = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    counted_day = models.DateTimeField(null=True, editable=False)
    in_day = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    # Set when a cap is reached, or one more contact must not come out of the queue yet; the moment says until when.
    # Cleared by `routing.clock` when it has passed: nobody compares it with a clock of their own.
    capped_until = models.DateTimeField(null=True, editable=False)
    paced_until = models.DateTimeField(null=True, editable=False)
    missed_in_a_row = models.PositiveIntegerField(default=0, db_default=0, editable=False)  # offers, not taken in time
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True, editable=False)
    was_active = models.BooleanField(null=True, editable=False)  # the switch when the pause began
    # When schedule, absence or pause turn the switch next; null: never. All edges until `edges_done_at` are done.
    next_edge_at = models.DateTimeField(null=True, editable=False)
    edges_done_at = models.DateTimeField(null=True, editable=False)
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="operator",
        verbose_name=_("account"),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = OperatorQuerySet.as_manager()

    class Meta:
        verbose_name = _("operator")
        verbose_name_plural = _("operators")
        permissions = [("answer_operator", "Can see, resolve and reopen the contacts of the operator that they are")]
        constraints = [
            models.UniqueConstraint(
                fields=["external_ref"],
                condition=Q(archived_at__isnull=True),
                name="operator_external_ref_unique_among_current",
            ),
            models.CheckConstraint(condition=Q(max_load__range=LIMITS), name="operator_limit_1_to_100"),
            models.CheckConstraint(condition=Q(current_load__gte=0), name="operator_load_not_negative"),
        ]
        indexes = [
            models.Index(
                fields=["next_edge_at"], condition=Q(next_edge_at__isnull=False), name="operator_by_next_edge"
            ),
            models.Index(fields=["capped_until"], condition=Q(capped_until__isnull=False), name="operator_by_cap"),
            models.Index(fields=["paced_until"], condition=Q(paced_until__isnull=False), name="operator_by_pace"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def fullness(self) -> dict[str, Any]:
        """The arguments of the load bar: `load`, `limit` and `obstacle`."""
        return {"load": self.current_load, "limit": self.max_load, "obstacle": self.obstacle}

    @property
    def obstacle(self) -> Obstacle | None:
        is_on_duty = self.is_active and not self.archived_at
        is_capped = self.capped_until is not None
        return obstacle(is_on_duty=is_on_duty, load=self.current_load, limit=self.max_load, is_capped=is_capped)

    @property
    def queue_obstacle(self) -> Obstacle | None:
        """Why the operator cannot get a contact that waits; None if it can."""
        return self.obstacle or (Obstacle.PACED if self.paced_until else None)
