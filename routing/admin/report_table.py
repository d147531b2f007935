"""A report in words: the table of the page, its charts, and the table of its files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy
from django.utils.translation import gettext as _

from core.admin.formatting import NOTHING
from core.spreadsheets import Cell
from routing.report import GroupBy, Report, Row
from routing.report.table import cells
from routing.report.words import NO_BREAK, duration_text

SHOWN = 31 * 24  # rows of the page; files have all
BARS = 30  # operators or sources in a chart, those with the most contacts

COUNTS = {
    "registered": pgettext_lazy("report", "Came in"),
    "assigned": pgettext_lazy("report", "Assigned"),
    "accepted": pgettext_lazy("report", "Taken"),
    "declined": pgettext_lazy("report", "Declined"),
    "timed_out": pgettext_lazy("report", "Missed"),
    "resolved": pgettext_lazy("report", "Resolved"),
    "reopened": pgettext_lazy("report", "Reopened"),
}
DURATIONS = {
    "waiting": pgettext_lazy("report", "Wait"),
    "first_reaction": pgettext_lazy("report", "First reaction"),
    "resolution": pgettext_lazy("report", "Until resolved"),
}
ON_DUTY = pgettext_lazy("report", "On duty")
OF_WHAT = {
    GroupBy.OPERATOR: gettext_lazy("Operator"),
    GroupBy.SOURCE: gettext_lazy("Source"),
    GroupBy.DAY: gettext_lazy("Day"),
    GroupBy.HOUR: gettext_lazy("Hour"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the page: its name, and for each further column its heading and its text."""

    name: str
    cells: list[tuple[str, str]]


def headings(report: Report) -> list[str]:
    return [str(OF_WHAT[report.question.group_by]), *map(str, (*COUNTS.values(), *DURATIONS.values(), ON_DUTY))]


def lines(report: Report) -> list[Line]:
    return [line_of(report, row) for row in report.rows[:SHOWN]]


def line_of(report: Report, row: Row) -> Line:
    values = row.values()
    texts = [formats.number_format(values[name], use_l10n=True, force_grouping=True) for name in COUNTS]
    for name in DURATIONS:
        median, most = values[f"{name}_p50"], values[f"{name}_p90"]
        texts.append(NOTHING if median is None else f"{duration_text(median)}{NO_BREAK}/ {duration_text(most)}")
    seconds = values["on_duty_seconds"]
    texts.append(NOTHING if seconds is None else duration_text(seconds))
    return Line(row_name(report, row), list(zip(headings(report)[1:], texts, strict=True)))


def row_name(report: Report, row: Row) -> str:
    if row is report.total:
        return _("Total")
    if row.key is None:
        return _("Without an operator")
    if isinstance(row.key, date) and not isinstance(row.key, datetime):
        return formats.date_format(row.key, "D, j E" if is_russian() else "D, j M")
    if isinstance(row.key, datetime):
        local = row.key.astimezone(report.question.zone)
        return formats.date_format(local, "j E, H:i" if is_russian() else "j M, H:i")
    return row.name or NOTHING


def is_russian() -> bool:
    """In Russian a day and its month stand in the genitive: "3 марта"."""
    return (get_language() or "").startswith("ru")


def chart_data(report: Report) -> dict[str, Any]:
    """What `reports.js` draws: names of rows, and numbers of each series. None of it is HTML."""
    rows = report.rows[:SHOWN]
    is_by_time = report.question.is_by_time
    if not is_by_time:
        named = [row for row in rows if row.key is not None]
        rows = sorted(named, key=lambda row: -max(row.figures.counts.values(), default=0))[:BARS]
    values = [row.values() for row in rows]

    def series(name: str, label: Any) -> dict[str, Any]:
        return {"label": str(label), "values": [its[name] for its in values]}

    first = "registered" if is_by_time or report.question.group_by == GroupBy.SOURCE else "assigned"
    waits = [None if its["waiting_p90"] is None else round(its["waiting_p90"] / 60, 1) for its in values]
    return {
        "labels": [row_name(report, row) for row in rows],
        "isByTime": is_by_time,
        "flow": [series(first, COUNTS[first]), series("resolved", COUNTS["resolved"])],
        "waits": [
            {
                "label": _("Wait of nine in ten, minutes"),
                "values": [w if w is None else round(w / 60, 1) for w in waits],
            }
        ],
    }


def file_table(report: Report) -> Iterator[Sequence[Cell]]:
    """The table of a file: as on the page, with whole seconds. The first heading says the period and the time zone."""
    shares, seconds = (_("median"), _("9 of 10")), _("seconds")
    percentiles = [f"{title}, {share}, {seconds}" for title in DURATIONS.values() for share in shares]
    name = f"{OF_WHAT[report.question.group_by]} ({period_text(report)})"
    yield [name, *map(str, COUNTS.values()), *percentiles, f"{ON_DUTY}, {seconds}"]
    for row in [*report.rows, report.total]:
        yield [file_name_of(report, row), *cells(row)]


def file_name_of(report: Report, row: Row) -> str:
    """As on the page; days and hours in a form that sorts."""
    if isinstance(row.key, datetime):
        return f"{row.key.astimezone(report.question.zone):%Y-%m-%d %H:%M}"
    return str(row.key) if report.question.group_by == GroupBy.DAY and row.key else row_name(report, row)


def period_days(first: date, last: date) -> str:
    """ "November 16, 2026 – November 22, 2026", on the clock of which zone."""
    days = " – ".join(formats.date_format(day, "DATE_FORMAT") for day in dict.fromkeys((first, last)))
    return f"{days} ({timezone.get_current_timezone_name()})"


def period_text(report: Report) -> str:
    zone = report.question.zone
    since, until = (at.astimezone(zone) for at in (report.question.since, report.question.until))
    return f"{since:%Y-%m-%d %H:%M} – {until:%Y-%m-%d %H:%M}, {timezone.get_current_timezone_name()}"
