"""What is much worse than usual: waits of a source, and missed offers of an operator. Quiet about small numbers."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from routing.models import Source
from routing.report.figures import Figures, floor_hour
from routing.report.question import HOUR, GroupBy, ask
from routing.report.reading import read_report

DAY, WEEK = timedelta(days=1), timedelta(days=7)
WEEKS = 4  # that say what is usual
TIMES = 2  # as much as usual is unusual
ENOUGH_NOW, ENOUGH_BEFORE = 10, 20  # waits, below which nine in ten mean little
SHORTEST = 300.0  # seconds: a wait that nobody complains of
FEWEST = 5  # missed offers


@dataclass(frozen=True, slots=True)
class Unusual:
    """`now` and `usual` are seconds that nine in ten waited at most in an hour, or offers missed in a day."""

    key: int
    name: str
    now: float
    usual: float


def slow_sources(now: datetime) -> list[Unusual]:
    """Current sources whose waits in the last full hour were at least twice those of the same hour of the week in the
    four weeks before."""
    hour = floor_hour(now) - HOUR
    latest, names = figures_of(GroupBy.SOURCE, [(hour, hour + HOUR)])
    usual, _names = figures_of(GroupBy.SOURCE, [(hour - week * WEEK, hour - week * WEEK + HOUR) for week in weeks()])
    current = set(Source.objects.current().values_list("pk", flat=True))
    found = []
    for key, figures in latest.items():
        wait, before = figures.percentile("waiting", 0.9), usual[key].percentile("waiting", 0.9)
        is_known = figures.number("waiting") >= ENOUGH_NOW and usual[key].number("waiting") >= ENOUGH_BEFORE
        if is_known and wait and before is not None and wait >= max(TIMES * before, SHORTEST) and key in current:
            found.append(Unusual(key, names[key], wait, before))
    return found


def missing_operators(now: datetime) -> list[Unusual]:
    """Operators who missed at least twice as many offers in the last 24 hours as in an average day of the four weeks
    before. Who had no contact in those weeks is compared with nothing."""
    end = floor_hour(now)
    latest, names = figures_of(GroupBy.OPERATOR, [(end - DAY, end)])
    usual, _names = figures_of(GroupBy.OPERATOR, [(end - DAY - WEEKS * WEEK, end - DAY)])
    found = []
    for key, figures in latest.items():
        missed, before = figures.counts["timed_out"], usual[key].counts["timed_out"] / (7 * WEEKS)
        if usual[key].counts["assigned"] and missed >= max(TIMES * before, FEWEST):
            found.append(Unusual(key, names[key], missed, before))
    return found


def weeks() -> range:
    return range(1, WEEKS + 1)


def figures_of(
    group_by: GroupBy, periods: Iterable[tuple[datetime, datetime]]
) -> tuple[dict[int, Figures], dict[int, str]]:
    """The figures of these periods together, and names, by id."""
    sums: dict[int, Figures] = defaultdict(Figures)
    names: dict[int, str] = {}
    for since, until in periods:
        for row in read_report(ask(group_by=group_by, since=since, until=until)).rows:
            if isinstance(row.key, int):
                sums[row.key].add_all(row.figures)
                names[row.key] = row.name or ""
    return sums, names
