"""What the pages of shifts show: planned days, absences, weekly hours, and a sentence on the present duty."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from core.admin import formatting, weekly_forms
from operators.duty_plan import DutyPlan, load_plans
from operators.models import Absence, Operator
from operators.weekly import HORIZON, Interval
from routing import holidays

DAYS = 14  # of the plan


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the plan: its hours as text, and as bars in percent of the day."""

    name: str
    hours: str
    bars: list[dict[str, str]]
    absences: list[str] = field(default_factory=list)


def planned_days(plan: DutyPlan, now: datetime) -> list[Day]:
    """The next days on the operator's clock, which is the active time zone."""
    zone, today = holidays.zone_of(plan.operator), timezone.localdate(now)
    days = [holidays.whole_day(zone, today + timedelta(days=number)) for number in range(DAYS)]
    planned = plan.availability(days[0][0], days[-1][1], now)
    return [planned_day(day, planned, plan.absences) for day in days if day[0] < day[1]]  # a zone may leave out a day


def planned_day(day: Interval, planned: Iterable[Interval], absences: Iterable[Absence]) -> Day:
    shifts = [(max(start, day[0]), min(end, day[1])) for start, end in planned if start < day[1] and end > day[0]]
    away = [absence for absence in absences if absence.start < day[1] and absence.end > day[0]]
    begin = timezone.localtime(day[0])
    return Day(
        name=f"{weekly_forms.WEEKDAYS[begin.isoweekday()]} {formats.date_format(begin, 'j E')}",
        hours=hours_text(shifts, day),
        bars=[bar(shift, day) for shift in shifts],
        absences=[absence.reason or _("Absent") for absence in away],
    )


def hours_text(shifts: Sequence[Interval], day: Interval) -> str:
    """ "09:00–13:00, 14:00–18:00" """
    if list(shifts) == [day]:
        return _("around the clock")
    return ", ".join(f"{clock(start)}–{clock_at_end(end, day)}" for start, end in shifts) or formatting.NOTHING


def clock(at: datetime) -> str:
    return f"{timezone.localtime(at):%H:%M}"


def clock_at_end(at: datetime, day: Interval) -> str:
    return "24:00" if at == day[1] else clock(at)


def bar(shift: Interval, day: Interval) -> dict[str, str]:
    length = day[1] - day[0]
    return {
        "left": f"{100 * ((shift[0] - day[0]) / length):.2f}",
        "width": f"{100 * ((shift[1] - shift[0]) / length):.2f}",
    }


def weekly_lines(operator: Operator) -> list[str]:
    schedule = getattr(operator, "schedule", None)
    return weekly_forms.lines_of(schedule.shifts) if schedule else []


def span_text(absence: Absence) -> str:
    """ "7 December 2026 – 11 December 2026", with times where it does not begin or end at midnight."""
    start, end = timezone.localtime(absence.start), timezone.localtime(absence.end)
    if start.hour or start.minute or end.hour or end.minute:
        return f"{formatting.format_datetime(start)} – {formatting.format_datetime(end)}"
    first, last = start.date(), end.date() - timedelta(days=1)
    shown = [formats.date_format(day, "DATE_FORMAT") for day in (first, last)]
    return shown[0] if first == last else " – ".join(shown)


def moment_text(at: datetime, now: datetime) -> str:
    """ "14:30" today, "Mon 09:00" in the next days, else the date."""
    local, days = timezone.localtime(at), (timezone.localdate(at) - timezone.localdate(now)).days
    if days == 0:
        return clock(at)
    if 0 < days < 7:
        return f"{weekly_forms.WEEKDAYS[local.isoweekday()]} {clock(at)}"
    return formats.date_format(local, "SHORT_DATE_FORMAT")


def duty_text(plan: DutyPlan, now: datetime) -> str:
    """What changes the duty next, such as "paused until 14:30", "until 18:00" or "on duty from Mon 09:00".

    Empty for what stays as it is.
    """
    operator = plan.operator
    if operator.paused_until:
        return _("paused until %(moment)s") % {"moment": moment_text(operator.paused_until, now)}
    if ends := [absence.end for absence in plan.absences if absence.start <= now < absence.end]:
        return _("absent until %(moment)s") % {"moment": moment_text(max(ends), now)}
    if plan.weekly is None:
        starts = [absence.start for absence in plan.absences if absence.start > now]
        return _("absent from %(moment)s") % {"moment": moment_text(min(starts), now)} if starts else ""
    planned = plan.availability(now, now + HORIZON, now)
    if operator.is_active:
        ends = [end for start, end in planned[:1] if start <= now]
        return _("until %(moment)s") % {"moment": moment_text(ends[0], now)} if ends else ""
    starts = [start for start, _end in planned if start > now]
    return _("on duty from %(moment)s") % {"moment": moment_text(starts[0], now)} if starts else ""


def present_text(plan: DutyPlan, now: datetime) -> str:
    """The present duty in a sentence."""
    words = _("on duty") if plan.operator.is_active else _("off duty")
    more = duty_text(plan, now)
    return f"{capfirst(words)}, {more}" if more else str(capfirst(words))


def add_plans(operators: Any) -> None:
    """Adds to each operator its plan, for `duty_text`."""
    plans = load_plans(operators)
    for operator in operators:
        operator.plan = plans[operator.pk]


def absence_rows(absences: Iterable[Absence], now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": absence.pk,
            "span": span_text(absence),
            "reason": absence.reason,
            "is_running": absence.start <= now < absence.end,
            "handover": absence.handover,
        }
        for absence in absences
    ]
