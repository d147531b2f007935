"""The calendar of a week: who is planned when, and the hours of sources in which nobody is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.admin import formatting
from operators.models import Absence, Operator
from operators.weekly import Interval
from routing import coverage
from routing.admin.opening_hours import AHEAD, clock_text, day_text, interval_text
from routing.models import Source

DAYS = 7
SHOWN = 3  # holes on the page of a source
FIRST, LAST = date(2000, 1, 3), date(2999, 12, 30)  # weeks that can be shown


@dataclass(frozen=True, slots=True)
class Bar:
    """A piece of a day: where it begins and how long it is, in percent of the day, and its words."""

    kind: str  # "duty", "absence" or "pause"
    left: float
    width: float
    text: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of an operator."""

    day: date
    label: str
    bars: Sequence[Bar]


@dataclass(slots=True)
class Row:
    operator: Operator
    url: str | None
    cells: list[Cell] = field(default_factory=list)


def calendar_page(request: HttpRequest) -> HttpResponse:
    """The week that `?week=2026-11-30` is in, this one by default, for users who may view operators; `?source=7` shows
    only the roster of this source."""
    if not may_view_calendar(request):
        raise PermissionDenied
    monday = monday_of(parse_week(request.GET.get("week", "")))
    sources = list(Source.objects.current().order_by("name", "pk"))
    chosen = next((one for one in sources if str(one.pk) == request.GET.get("source")), None)
    midnights = [midnight(monday + timedelta(days=number)) for number in range(DAYS + 1)]
    operators = list(operators_of(chosen))
    ids = [operator.pk for operator in operators]
    planned = coverage.planned_by_operator(operator_ids=ids, start=midnights[0], end=midnights[-1])
    context = {
        "title": _("Calendar"),
        "week": _("%(first)s – %(last)s") % {"first": day_text(midnights[0]), "last": day_text(midnights[-2])},
        "days": [{"text": day_text(one), "is_today": one.date() == timezone.localdate()} for one in midnights[:-1]],
        "rows": rows_of(request, operators, planned, midnights),
        "holes": list(holes_of([chosen] if chosen else sources, midnights)),
        "is_past": midnights[-1] <= timezone.now(),
        "sources": sources,
        "chosen": chosen,
        "monday": monday.isoformat(),
        "previous": week_url(monday - timedelta(days=DAYS), chosen),
        "next": week_url(monday + timedelta(days=DAYS), chosen),
        "present": week_url(None, chosen),
        "time_zone": timezone.get_current_timezone_name(),
    }
    return render(request, "routing/calendar.html", admin.site.each_context(request) | context)


def may_view_calendar(request: HttpRequest) -> bool:
    return any(map(request.user.has_perm, ("operators.view_operator", "operators.change_operator")))


def parse_week(given: str) -> date:
    """The day that is asked for; today if it cannot be read."""
    try:
        day = parse_date(given)
    except ValueError:  # such as 2026-02-30
        day = None
    return min(max(day, FIRST), LAST) if day else timezone.localdate()


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def midnight(day: date) -> datetime:
    """When the day begins in the time zone of the page."""
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def week_url(monday: date | None, source: Source | None) -> str:
    asked = {"week": monday and monday.isoformat(), "source": source and source.pk}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{reverse('calendar')}?{query}"


def operators_of(source: Source | None) -> QuerySet[Operator]:
    operators = Operator.objects.current().order_by("name", "pk")
    return operators.filter(rosters__source=source) if source else operators


def rows_of(
    request: HttpRequest,
    operators: Sequence[Operator],
    planned: Mapping[int, list[Interval]],
    midnights: Sequence[datetime],
) -> list[Row]:
    absences: dict[int, list[Absence]] = {}
    within = Absence.objects.not_cancelled().filter(start__lt=midnights[-1], end__gt=midnights[0])
    for absence in within.filter(operator__in=operators).order_by("start"):
        absences.setdefault(absence.operator_id, []).append(absence)
    may_edit = request.user.has_perm("operators.change_operator")
    return [
        Row(
            operator,
            shifts_url(operator) if may_edit else None,
            [
                cell_of(operator, planned.get(operator.pk, []), absences.get(operator.pk, []), begin, end)
                for begin, end in pairwise(midnights)
            ],
        )
        for operator in operators
    ]


def shifts_url(operator: Operator) -> str:
    """The page where schedule and absences are edited."""
    try:
        return reverse("admin:operators_operator_shifts", args=[operator.pk])
    except NoReverseMatch:
        return reverse("admin:operators_operator_change", args=[operator.pk])


def cell_of(
    operator: Operator, duty: Sequence[Interval], absences: Sequence[Absence], begin: datetime, end: datetime
) -> Cell:
    bars = [bar_of("duty", "", interval, begin, end) for interval in duty]
    bars += [
        bar_of("absence", absence.reason or _("absent"), (absence.start, absence.end), begin, end)
        for absence in absences
    ]
    if operator.paused_until:
        bars.append(bar_of("pause", _("pause"), (timezone.now(), operator.paused_until), begin, end))
    return Cell(timezone.localdate(begin), day_text(timezone.localtime(begin)), [bar for bar in bars if bar])


def bar_of(kind: str, words: str, interval: Interval, begin: datetime, end: datetime) -> Bar | None:
    """The part of the interval in this day; None if there is none."""
    first, last = max(interval[0], begin), min(interval[1], end)
    if first >= last:
        return None
    length = (end - begin).total_seconds()
    is_all_day = (first, last) == (begin, end)
    clocks = _("all day") if is_all_day else span_text(first, last, end)
    return Bar(
        kind,
        round(100 * (first - begin).total_seconds() / length, 2),
        round(100 * (last - first).total_seconds() / length, 2),
        f"{words}, {clocks}" if words else clocks,
    )


def span_text(first: datetime, last: datetime, end: datetime) -> str:
    until = "24:00" if last == end else clock_text(timezone.localtime(last))
    return f"{clock_text(timezone.localtime(first))}–{until}"


def holes_of(sources: Sequence[Source], midnights: Sequence[datetime]) -> Iterator[dict[str, Any]]:
    """Each source with holes that are still to come, and these as texts."""
    start = max(midnights[0], timezone.now())
    if start >= midnights[-1]:
        return
    found = coverage.holes_by_source(source_ids=[source.pk for source in sources], start=start, end=midnights[-1])
    for source in sources:
        if found[source.pk]:
            yield {"source": source, "holes": [interval_text(hole) for hole in found[source.pk]]}


def upcoming_holes() -> dict[int, list[Interval]]:
    """The holes of the next days by source, of sources that have some."""
    now = timezone.now()
    sources = Source.objects.current().values_list("pk", flat=True)
    found = coverage.holes_by_source(source_ids=list(sources), start=now, end=now + AHEAD)
    return {source_id: holes for source_id, holes in found.items() if holes}


def hole_url(hole: Interval, source: Source | None = None) -> str:
    """The calendar of the week in which the hole begins."""
    return week_url(monday_of(timezone.localdate(hole[0])), source)


def holes_summary(source: Source) -> SafeString | str:
    """The first holes of the next days in red, and a link to the calendar."""
    now = timezone.now()
    holes = coverage.holes(source_id=source.pk, start=now, end=now + AHEAD)
    if not holes:
        return _("None in the next %(days)s days") % {"days": AHEAD.days}
    items = format_html_join("", "<li>{}</li>", ((interval_text(hole),) for hole in holes[:SHOWN]))
    more = _("And %(number)s more.") % {"number": len(holes) - SHOWN} if len(holes) > SHOWN else ""
    link = formatting.link(hole_url(holes[0], source), _("Calendar"))
    return format_html('<ul class="holes">{}</ul> <span class="holes-more">{} {}</span>', items, more, link)
