"""The rows of a report, with names and the time on duty."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from operators.duty import Interval, duty_of_all
from operators.models import Operator
from routing.models import Source
from routing.report.figures import COUNTS, DURATIONS, Figures, floor_hour, percentile_of
from routing.report.question import HOUR, GroupBy, Key, Question

PERCENTILES = {"p50": 0.5, "p90": 0.9}
DURATION_COLUMNS = tuple(f"{name}_{percentile}" for name in DURATIONS for percentile in PERCENTILES)
COLUMNS = (*COUNTS, *DURATION_COLUMNS, "on_duty_seconds")


@dataclass(frozen=True, slots=True)
class Row:
    """`name` is that of the operator or the source, or an ISO 8601 day or moment; None for nobody and for the total.

    `on_duty_seconds`: None where duty belongs to no row, because an operator is on duty for all sources at once.
    """

    key: Key
    name: str | None
    figures: Figures
    on_duty_seconds: float | None

    def values(self) -> dict[str, Any]:
        """By name of COLUMNS: numbers, and seconds or None."""
        histograms = self.figures.histograms()
        durations = [percentile_of(histogram, share) for histogram in histograms for share in PERCENTILES.values()]
        counts = {name: self.figures.counts[name] for name in COUNTS}
        return counts | dict(zip(DURATION_COLUMNS, durations, strict=True)) | {"on_duty_seconds": self.on_duty_seconds}


@dataclass(frozen=True, slots=True)
class Report:
    """`total` is of everything in the question."""

    question: Question
    rows: list[Row]
    total: Row


def make_rows(question: Question, sums: Mapping[Key, Figures], total: Figures) -> Report:
    """The report with every day or hour of the period in their order, or with the operators or sources by name who
    have any figures; operators also if they were on duty."""
    seconds = None if question.is_of_sources else duty_seconds(question)
    together = None if seconds is None else sum(seconds.values())
    rows = rows_by_time(question, sums, seconds) if question.is_by_time else rows_by_name(question, sums, seconds)
    return Report(question, rows, Row(None, None, total, together))


Seconds = Mapping[Key, float] | None


def rows_by_time(question: Question, sums: Mapping[Key, Figures], seconds: Seconds) -> list[Row]:
    return [
        Row(key, time_name(question, key), sums.get(key) or Figures(), None if seconds is None else seconds[key])
        for key in question.times()
    ]


def time_name(question: Question, key: Key) -> str:
    return key.astimezone(question.zone).isoformat() if isinstance(key, datetime) else str(key)


def rows_by_name(question: Question, sums: Mapping[Key, Figures], seconds: Seconds) -> list[Row]:
    model = Operator if question.group_by == GroupBy.OPERATOR else Source
    names: dict[Key, str] = dict(model._default_manager.values_list("pk", "name"))
    keys = {key for key, figures in sums.items() if figures} | (seconds or {}).keys()
    rows = [
        Row(
            key,
            names.get(key),
            sums.get(key) or Figures(),
            None if seconds is None or key is None else seconds.get(key, 0.0),
        )
        for key in keys
    ]
    return sorted(rows, key=lambda row: (row.key is None, (row.name or "").casefold(), row.key))


def duty_seconds(question: Question) -> Mapping[Key, float]:
    """The seconds on duty until now by key of the row: of an operator, or of all in a day or an hour."""
    found: dict[Key, float] = defaultdict(float)
    key_of = question.key_of()
    for pk, intervals in duty_of_all(start=question.since, end=min(question.until, timezone.now())).items():
        if question.operator_id in (None, pk):
            for begin, end in intervals:
                add_interval(found, key_of, pk, (begin, end))
    return found


def add_interval(found: dict[Key, float], key_of: Any, operator_id: int, interval: Interval) -> None:
    begin, end = interval
    while begin < end:
        hour = floor_hour(begin)
        until = min(hour + HOUR, end)
        found[key_of(0, operator_id, hour)] += (until - begin).total_seconds()
        begin = until
