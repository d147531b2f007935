"""What the page of reports is asked for, from its address: `?period=week&by=operator&source=1&operator=2`, or
`?period=own&from=2026-11-01&to=2026-11-15`, whose last day is included."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from core.errors import FieldError, Invalid
from routing.report import GroupBy, Question, ask

DAY = timedelta(days=1)
FIRST, LAST = date(2000, 1, 1), date(2999, 12, 31)
OWN = "own"
LAST_WEEK = "last_week"

PERIODS = {
    "today": gettext_lazy("Today"),
    "yesterday": gettext_lazy("Yesterday"),
    "week": gettext_lazy("This week"),
    LAST_WEEK: gettext_lazy("Last week"),
    "month": gettext_lazy("This month"),
    "last_month": gettext_lazy("Last month"),
}
GROUPS = {
    GroupBy.OPERATOR: pgettext_lazy("report", "By operator"),
    GroupBy.SOURCE: pgettext_lazy("report", "By source"),
    GroupBy.DAY: pgettext_lazy("report", "By day"),
    GroupBy.HOUR: pgettext_lazy("report", "By hour"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """As the address says it. `first` and `last` are days on the clock of the page, both included."""

    period: str
    group_by: GroupBy
    first: date
    last: date
    source_id: int | None = None
    operator_id: int | None = None

    @property
    def since(self) -> datetime:
        return midnight(self.first)

    @property
    def until(self) -> datetime:
        return midnight(self.last + DAY)

    def question(self) -> Question:
        """Raises Invalid or Unknown."""
        return ask(
            group_by=self.group_by,
            since=self.since,
            until=self.until,
            zone=timezone.get_current_timezone(),
            source_id=self.source_id,
            operator_id=self.operator_id,
        )

    def query(self, **changes: Any) -> str:
        """The address of the same question, or of one that differs in these fields."""
        its = replace(self, **changes)
        days = {"from": its.first.isoformat(), "to": its.last.isoformat()} if its.period == OWN else {}
        asked = {"period": its.period, "by": its.group_by, "source": its.source_id, "operator": its.operator_id} | days
        return urlencode({name: str(value) for name, value in asked.items() if value})


def read_asked(given: Mapping[str, str]) -> Asked:
    """Raises Invalid."""
    period = given.get("period", LAST_WEEK)
    first, last = own_days(given) if period == OWN else days_of(period, timezone.localdate())
    group_by = given.get("by", GroupBy.OPERATOR)
    if group_by not in GROUPS:
        raise invalid("by", _("There is no such report."))
    return Asked(period, GroupBy(group_by), first, last, read_id(given, "source"), read_id(given, "operator"))


def days_of(period: str, today: date) -> tuple[date, date]:
    """The first and the last day; a week begins on Monday, and what has not ended yet goes until today."""
    monday, first = today - today.weekday() * DAY, today.replace(day=1)
    last_month = first - DAY
    found = {
        "today": (today, today),
        "yesterday": (today - DAY, today - DAY),
        "week": (monday, today),
        LAST_WEEK: (monday - 7 * DAY, monday - DAY),
        "month": (first, today),
        "last_month": (last_month.replace(day=1), last_month),
    }.get(period)
    if found is None:
        raise invalid("period", _("There is no such period."))
    return found


def own_days(given: Mapping[str, str]) -> tuple[date, date]:
    first, last = read_day(given, "from"), read_day(given, "to")
    if last < first:
        raise invalid("to", _("The last day is before the first one."))
    return first, last


def read_day(given: Mapping[str, str], name: str) -> date:
    try:
        day = parse_date(given.get(name, ""))
    except ValueError:
        day = None
    if day is None or not FIRST <= day <= LAST:
        raise invalid(name, _("Choose the first and the last day."))
    return day


def read_id(given: Mapping[str, str], name: str) -> int | None:
    text = given.get(name, "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 18):
        raise invalid(name, _("There is no such source or operator."))
    return int(text) if text else None


def invalid(field: str, detail: str) -> Invalid:
    return Invalid(FieldError(field, "invalid", detail))


def midnight(day: date) -> datetime:
    """When the day begins on the clock of the page."""
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))
