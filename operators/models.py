from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

LIMITS = (1, 100)  # range of `max_load`: contacts that one operator may have open simultaneously


class Obstacle(models.TextChoices):
    """Why an operator cannot take one more contact. An operator without an obstacle is eligible."""

    INACTIVE = "inactive", _("off duty")
    FULL = "full", _("at the limit")


def obstacle(*, is_on_duty: bool, load: int, limit: int) -> Obstacle | None:
    """Why an operator cannot take one more contact; None if it can."""
    if not is_on_duty:
        return Obstacle.INACTIVE
    return Obstacle.FULL if load >= limit else None


class OperatorQuerySet(models.QuerySet["Operator"]):
    def current(self) -> "OperatorQuerySet":
        return self.filter(archived_at__isnull=True)

    def free(self) -> "OperatorQuerySet":
        """`Operator.obstacle is None` in SQL."""
        return self.current().filter(is_active=True, current_load__lt=F("max_load"))


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
            models.CheckConstraint(condition=Q(max_load__range=LIMITS), name="operator_limit_1_to_100"),
            models.CheckConstraint(condition=Q(current_load__gte=0), name="operator_load_not_negative"),
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
        return obstacle(is_on_duty=is_on_duty, load=self.current_load, limit=self.max_load)
