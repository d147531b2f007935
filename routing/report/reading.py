"""Makes reports: from the tallies, and from the rows of the history that are not in them yet."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from itertools import islice

from django.db import Error
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core import deadline
from core.db import replica
from core.errors import Busy, Refusal
from routing.models import ALL, NOBODY, ReportTally
from routing.report import tallying
from routing.report.figures import COUNTS, Entry, Figures, floor_hour, unpack_durations
from routing.report.question import GroupBy, Key, Question
from routing.report.rows import Report, make_rows
from routing.report.tallying import Length, ceiling, floor

log = logging.getLogger(__name__)

PATIENCE = 5.0  # seconds that a question may spend on tallies
MOST_ROWS = 200_000  # of the history that a question counts by itself
TRIES = 5


class StillCounting(Busy):
    """The background work has not counted the past yet, as after an upgrade."""

    def __init__(self) -> None:
        detail = _("The contacts of the past are still being counted. Please try again in a few minutes.")
        Refusal.__init__(self, "busy", detail)


def make_report(question: Question) -> Report:
    """Adds up what is missing in the tallies first, so that it stays fast where no sweep runs, but not for long: it is
    a question. The rest may be read from a replica. Raises StillCounting."""
    try:
        with deadline.limit_to(PATIENCE):
            tallying.tally_when_due()
    except (Busy, Error):
        log.warning("Not tallied", exc_info=True)  # the result is still correct, only slower
    return replica.read(partial(read_report, question))


def read_report(question: Question) -> Report:
    """Without writing anything. Raises StillCounting."""
    for _number in range(TRIES):
        mark = tallying.read_mark()
        sums, total = sums_of(question, list(entries_after(mark, question)))
        if tallying.read_mark() == mark:  # else rows may have moved into the tallies meanwhile
            return make_rows(question, sums, total)
    raise StillCounting


def entries_after(mark: tallying.Mark, question: Question) -> Iterator[Entry]:
    """What rows that are not in the tallies add to the answer."""
    pks = list(tallying.rows_after(mark).values_list("pk", flat=True)[: MOST_ROWS + 1])
    if len(pks) > MOST_ROWS:
        raise StillCounting
    remaining = iter(pks)
    while some := set(islice(remaining, tallying.AT_ONCE)):
        for entry in tallying.entries_of(some):
            if question.includes(entry.source_id, entry.operator_id, entry.at):
                yield entry


def sums_of(question: Question, entries: Iterable[Entry]) -> tuple[dict[Key, Figures], Figures]:
    """The figures by key of their row, and all together."""
    sums: dict[Key, Figures] = defaultdict(Figures)
    key_of = question.key_of()
    for tallies in tallies_of(question):
        rows = tallies.values_list("source", "operator", "start", "durations", *COUNTS)
        for source, operator, start, durations, *counts in rows.iterator():
            add_tally(sums[key_of(source, None if operator == NOBODY else operator, start)], counts, bytes(durations))
    for entry in entries:
        sums[key_of(entry.source_id, entry.operator_id, floor_hour(entry.at))].add(entry)
    total = Figures()
    for figures in sums.values():
        total.add_all(figures)
    return sums, total


def add_tally(figures: Figures, counts: Iterable[int], durations: bytes) -> None:
    for name, number in zip(COUNTS, counts, strict=True):
        if number:
            figures.counts[name] += number
    found = figures.durations
    for step, number in unpack_durations(durations):
        found[step] += number


def tallies_of(question: Question) -> Iterator[QuerySet[ReportTally]]:
    """The tallies of the period: by day and hour the hours, else the longest that fit into it."""
    found = ReportTally.objects.all()
    for name, asked, group_by in (
        ("source", question.source_id, GroupBy.SOURCE),
        ("operator", question.operator_id, GroupBy.OPERATOR),
    ):
        is_every = asked is None and question.group_by == group_by
        found = found.exclude(**{name: ALL}) if is_every else found.filter(**{name: asked or ALL})
    lengths = [Length.HOUR] if question.is_by_time else [Length.MONTH, Length.DAY, Length.HOUR]
    for length, start, end in cover(question.since, question.until, lengths):
        yield found.filter(length=length, start__gte=start, start__lt=end)


def cover(since: datetime, until: datetime, lengths: list[Length]) -> list[tuple[Length, datetime, datetime]]:
    """The period in parts of whole hours, days or months: the longest that fit."""
    length, *shorter = lengths
    first, last = ceiling(since, length), floor(until, length)
    if first >= last:
        return cover(since, until, shorter) if shorter else []
    around = [*cover(since, first, shorter), *cover(last, until, shorter)] if shorter else []
    return [*around, (length, first, last)]
