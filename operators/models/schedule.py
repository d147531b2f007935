import logging
from datetime import time
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from operators.models.operator import Operator
from operators.weekly import Shift, Weekly

log = logging.getLogger(__name__)


class WeeklyModel(models.Model):
    """A weekly pattern as it is stored. `shifts`: [{"weekday": 1..7, "from": "09:00", "to": "18:00"}, ...]."""

    time_zone = models.CharField(_("time zone"), max_length=64)
    shifts = models.JSONField(_("weekly hours"))
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    @property
    def weekly(self) -> Weekly:
        """Without shifts if the system does not know the time zone any more: then nothing is turned until somebody sets
        another, and everything else goes on."""
        try:
            return Weekly(ZoneInfo(self.time_zone), [read_shift(shift) for shift in self.shifts])
        except ZoneInfoNotFoundError:
            log.error("Hours are not kept: %s %s has an unknown zone, %s", self._meta.label, self.pk, self.time_zone)
            return Weekly(ZoneInfo(settings.TIME_ZONE), ())


def read_shift(stored: dict[str, Any]) -> Shift:
    begin, end = (time(int(clock[:2]) % 24, int(clock[3:])) for clock in (stored["from"], stored["to"]))
    return Shift(stored["weekday"], begin, end)  # "24:00" is the midnight that ends the day


class Schedule(WeeklyModel):
    """When an operator is on duty as planned. An operator without shifts has none."""

    operator = models.OneToOneField(Operator, models.CASCADE, related_name="schedule", verbose_name=_("operator"))

    class Meta:
        default_permissions = ()
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")

    def __str__(self) -> str:
        return f"{self.operator}: {self.time_zone}"


class AbsenceQuerySet(models.QuerySet["Absence"]):
    def current(self) -> "AbsenceQuerySet":
        """Those to come and those that have begun."""
        return self.filter(ended_at__isnull=True)

    def not_cancelled(self) -> "AbsenceQuerySet":
        """Those to come, begun, or over. A cancelled one has ended before its end."""
        return self.filter(Q(ended_at__isnull=True) | Q(ended_at__gte=F("end")))


class Absence(models.Model):
    """A time off duty, such as a holiday. Its edges are turned by `routing.duty_edges`, once each."""

    operator = models.ForeignKey(Operator, models.CASCADE, related_name="absences", verbose_name=_("operator"))
    start = models.DateTimeField(_("from"))
    end = models.DateTimeField(_("to"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    handover = models.BooleanField(_("hand over open contacts"), default=False)
    began_at = models.DateTimeField(null=True, editable=False)  # when its begin was done
    ended_at = models.DateTimeField(null=True, editable=False)  # when its end was done, or it was called off
    was_active = models.BooleanField(null=True, editable=False)  # the switch when it began
    # [[contact id, id of the operator who got it, or null for the queue], ...], for the undo of `routing.leave`
    moved = models.JSONField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        constraints = [models.CheckConstraint(condition=Q(end__gt=F("start")), name="absence_ends_after_it_begins")]
        indexes = [
            models.Index(fields=["operator", "start"], condition=Q(ended_at__isnull=True), name="absence_current")
        ]

    def __str__(self) -> str:
        return f"{self.operator}: {self.start:%Y-%m-%d} – {self.end:%Y-%m-%d}"
