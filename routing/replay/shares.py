"""What each operator got in each source, added up from the history, and the tallies of reports and of fairness."""

import struct
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from math import isclose
from typing import Any

from routing import tallies
from routing.decision_sums import Sums
from routing.models import ALL, NOBODY, ReportTally, Tally, Upkeep
from routing.replay.differences import Difference, Kind
from routing.replay.lives import Event
from routing.report.figures import COUNTS, Entry, Figures, History, Line, unpack_durations
from routing.report.tallying import Mark, ceiling, floor, read_mark

Length = ReportTally.Length
Pair = tuple[int, int]  # ids of a source and of an operator: ALL, NOBODY, or one that exists
DAMAGED = -1  # in place of a step
LENGTHS = {Length.HOUR: "hours", Length.DAY: "days", Length.MONTH: "month"}
REMEDY = "“manage.py route_waiting --tally-again” adds them up again."


class Shares:
    """The figures of each month in UTC, by source and operator: as far as the tallies of reports have come.

    `assigned`: how many contacts each operator got in all, by source.
    """

    def __init__(self) -> None:
        self.mark: Mark = read_mark()
        self.months: dict[datetime, dict[Pair, Figures]] = {}
        self.assigned: dict[Pair, int] = {}

    def add(self, source_id: int, events: Sequence[Event]) -> None:
        """The whole history of one contact."""
        history = History(events[0].at)
        for event in events:
            line = Line(
                event.pk, event.contact_id, source_id, event.at, event.what, event.from_operator, event.to_operator
            )
            is_tallied = (event.transaction, event.pk) <= self.mark
            for name, operator_id, seconds in history.follow(line):
                if name == "assigned" and operator_id:
                    pair = source_id, operator_id
                    self.assigned[pair] = self.assigned.get(pair, 0) + 1
                if is_tallied:
                    entry = Entry(event.pk, source_id, operator_id, event.at, name, seconds)
                    self.figures(event.at, source_id, operator_id or NOBODY).add(entry)

    def figures(self, at: datetime, source_id: int, operator_id: int) -> Figures:
        utc = at.astimezone(UTC)
        month = self.months.setdefault(utc.replace(day=1, hour=0, minute=0, second=0, microsecond=0), {})
        pair = source_id, operator_id
        found = month.get(pair)
        if found is None:
            found = month[pair] = Figures()
        return found


def compare_report_tallies(shares: Shares) -> Iterator[Difference]:
    """Month by month: what its hours, its days and itself add up to, against the history."""
    stored = {floor(start, Length.MONTH) for start in tally_starts()}
    for month in sorted(stored | shares.months.keys()):
        expected = with_sums(shares.months.pop(month, {}))
        for length, called in LENGTHS.items():
            found = dict(stored_figures(length, month))
            for pair in sorted(expected.keys() | found.keys()):
                rebuilt, tallied = expected.get(pair, Figures()), found.get(pair, Figures())
                if text := differing(rebuilt, tallied):
                    yield Difference(
                        Kind.REPORT,
                        f"Reports, {called} of {month:%Y-%m}, {label(pair)}: {text}. {REMEDY}",
                        {name: pk for name, pk in zip(("source", "operator"), pair, strict=True) if pk > 0},
                    )


def tally_starts() -> Iterator[datetime]:
    """The months that have tallies, each at least once: one that has only hours or days too."""
    for length in Length:
        tallied = ReportTally.objects.filter(length=length).order_by("start")
        start = tallied.values_list("start", flat=True).first()
        while start:
            yield start
            following = ceiling(floor(start, Length.MONTH).replace(day=2), Length.MONTH)
            start = tallied.filter(start__gte=following).values_list("start", flat=True).first()


def with_sums(month: dict[Pair, Figures]) -> dict[Pair, Figures]:
    """Also of all sources and of all operators together."""
    found = dict(month)
    for (source, operator), figures in month.items():
        for pair in ((source, ALL), (ALL, operator), (ALL, ALL)):
            found.setdefault(pair, Figures()).add_all(figures)
    return found


def stored_figures(length: int, month: datetime) -> Iterator[tuple[Pair, Figures]]:
    until = ceiling(month.replace(day=2), Length.MONTH)
    rows = ReportTally.objects.filter(length=length, start__gte=month, start__lt=until).order_by("source", "operator")
    columns: Any = rows.values_list("source", "operator", "durations", *COUNTS)
    for pair, its in groupby(columns, key=lambda row: row[:2]):
        figures = Figures()
        for _, _, durations, *counts in its:
            figures.counts.update(dict(zip(COUNTS, counts, strict=True)))
            figures.durations.update(dict(readable(bytes(durations))))
        yield pair, figures


def readable(durations: bytes) -> Iterable[tuple[int, int]]:
    """The histograms; of damaged ones something that no history adds up to."""
    try:
        return list(unpack_durations(durations))
    except struct.error:
        return [(DAMAGED, 1)]


def differing(rebuilt: Figures, tallied: Figures) -> str:
    counts = [
        f"{tallied.counts[name]} {name.replace('_', ' ')} instead of {rebuilt.counts[name]}"
        for name in COUNTS
        if tallied.counts[name] != rebuilt.counts[name]
    ]
    return ", ".join(counts) or ("other durations" if +rebuilt.durations != +tallied.durations else "")


def label(pair: Pair) -> str:
    source, operator = pair
    operators = {ALL: "all operators", NOBODY: "nobody"}
    return f"{f'source {source}' if source else 'all sources'}, {operators.get(operator, f'operator {operator}')}"


def compare_fairness_tallies() -> Iterator[Difference]:
    """Hour by hour: the sums over its decisions, against the history."""
    tallied_until = Upkeep.objects.values_list("tallied_until", flat=True).first()
    if tallied_until is None:
        return
    hours = set(Tally.objects.filter(hour__lt=tallied_until).values_list("hour", flat=True).distinct())
    since = None
    while (at := tallies.first_moment(since)) and at < tallied_until:
        hour = tallies.floor_hour(at)
        yield from compare_hour(hour, tallies.count_decisions(None, hour, hour + tallies.HOUR))
        hours.discard(hour)
        since = hour + tallies.HOUR
    for hour in sorted(hours):
        yield from compare_hour(hour, {})


def compare_hour(hour: datetime, rebuilt: dict[Pair, Sums]) -> Iterator[Difference]:
    rows = Tally.objects.filter(hour=hour).values_list("source", "operator", *tallies.FIELDS)
    stored = {(source, operator): Sums(*(number or 0 for number in its)) for source, operator, *its in rows}
    for pair in sorted(rebuilt.keys() | stored.keys()):
        one, other = stored.get(pair, Sums()), rebuilt.get(pair, Sums())
        wrong = [name for name in tallies.FIELDS if not is_equal(getattr(one, name), getattr(other, name))]
        if wrong:
            name = wrong[0]
            text = f"{name} is {getattr(one, name):g} instead of {getattr(other, name):g}"
            yield Difference(
                Kind.FAIRNESS,
                f"Fairness, hour of {hour:%Y-%m-%d %H:%M} UTC, {label(pair)}: {text}. {REMEDY}",
                {"source": pair[0], "operator": pair[1]},
            )


def is_equal(one: float, other: float) -> bool:
    """Sums of the same numbers, maybe added in another order."""
    return isclose(one, other, rel_tol=1e-6, abs_tol=1e-6)
