"""Public holidays of a country, imported as absences of operators."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from django.conf import settings

from core.changes.recording import SERVICE, Author, record_change
from core.errors import Conflict, Unknown
from operators.duty_plan import DutyPlan
from operators.models import Absence, Operator
from operators.weekly import Interval, Weekly
from routing import duty_edges
from routing.duty_edges import Recorded

LONGEST_NAME = Absence._meta.get_field("reason").max_length

Holiday = tuple[date, str]


@dataclass(frozen=True, slots=True)
class ImportCount:
    """`skipped`: absences that an operator would have had at the time of another one."""

    added: int
    skipped: int


def import_holidays(*, days: Sequence[Holiday], operator_ids: Iterable[int], author: Author = SERVICE) -> ImportCount:
    """Adds an absence for each of these days, from midnight to midnight on the clock of the operator's schedule.

    Days that are over, or on which the operator has another absence, are skipped: an import can be repeated. Each
    operator is a transaction; those who were archived meanwhile get none.
    """
    added = skipped = 0
    operators = Operator.objects.current().filter(pk__in=set(operator_ids)).select_related("schedule").order_by("pk")
    for operator in operators:
        try:
            count = add_days_off(operator, days, author)
        except Unknown:
            continue
        added, skipped = added + count, skipped + len(days) - count
    return ImportCount(added, skipped)


def add_days_off(operator: Operator, days: Sequence[Holiday], author: Author) -> int:
    """Returns how many absences were added. Raises Unknown."""
    zone, added = zone_of(operator), list[Recorded]()

    def change(plan: DutyPlan, now: datetime) -> Recorded:
        added.clear()  # an attempt before this one may have added some
        for day, name in days:
            start, end = whole_day(zone, day)
            if end <= now or is_absent(plan, start, end):
                continue
            absence = Absence.objects.create(operator=plan.operator, start=start, end=end, reason=name[:LONGEST_NAME])
            plan.absences.append(absence)
            added.append(Recorded("operator.absence_added", {}, duty_edges.absence_values(absence)))
        for one in added[1:]:
            record_change(one.what, author, before=one.before, after=one.after, operator_id=operator.pk)
        return added[0] if added else Recorded()

    duty_edges.change_plan(operator.pk, author, change)
    return len(added)


def is_absent(plan: DutyPlan, start: datetime, end: datetime) -> bool:
    """Whether another absence forbids one at this time."""
    try:
        duty_edges.raise_if_overlapping(plan, start, end)
    except Conflict:
        return True
    return False


def zone_of(operator: Operator) -> ZoneInfo:
    """On whose clock the days of this operator begin: that of the schedule, else that of the service."""
    schedule = getattr(operator, "schedule", None)
    return schedule.weekly.zone if schedule else ZoneInfo(settings.TIME_ZONE)


def whole_day(zone: ZoneInfo, day: date) -> Interval:
    clock = Weekly(zone, [])
    return clock.reached(day, time.min), clock.reached(day + timedelta(days=1), time.min)


def public_holidays(*, country: str, years: Iterable[int], language: str, since: date = date.min) -> list[Holiday]:
    """The national holidays of these years, in order, named in this language if the library knows it.

    `country`: a key of `countries()`. `since`: leaves out the days before.
    """
    import holidays

    found = holidays.country_holidays(country, years=years, language=spoken_language(country, language))
    return sorted((day, name) for day, name in found.items() if day >= since)


def spoken_language(country: str, language: str) -> str | None:
    """The library's name of this language, if it names this country's holidays in it; else English, if it does."""
    import holidays

    known = sorted(holidays.list_localized_countries().get(country, []))
    wanted = (language.partition("-")[0], "en")
    return next((one for name in wanted for one in known if one.partition("_")[0] == name), None)


@cache
def countries() -> dict[str, str]:
    """The countries whose holidays are known: code to English name, by name."""
    import holidays  # takes a third of a second and 20 MB, which a process without this page does not need

    table = resources.files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text("utf-8")
    names = dict(line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    known = {code: names.get(code, code) for code in holidays.list_supported_countries(include_aliases=False)}
    return dict(sorted(known.items(), key=lambda one: one[1]))
