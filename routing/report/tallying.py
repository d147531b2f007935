"""Adds rows of the history to the tallies of reports, in the order of their commits, so that none is left out or
counted twice, however late it was committed and whatever its clock said.

The background work does it once an hour, or sooner when much has happened. Rows that are not in the tallies yet are
counted when a report is made (`report.reading`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from core import retry
from core.db import commit_order
from routing.models import ALL, NOBODY, ContactEvent, ReportProgress, ReportTally
from routing.report.figures import (
    COUNTS,
    Entry,
    Figures,
    Line,
    floor_hour,
    pack_durations,
    read_histories,
    unpack_durations,
)

AT_ONCE = 5_000  # rows of the history that are added in one transaction

Length = ReportTally.Length
Key = tuple[int, int, int, datetime]  # length, source, operator, start
GoOn = Callable[[], bool]
Mark = tuple[int, int]  # transaction and id of the last row that is in the tallies

NO_MARK: Mark = (-1, 0)
NEXT = {Length.HOUR: timedelta(hours=1), Length.DAY: timedelta(days=1), Length.MONTH: timedelta(days=31)}
NOTHING: tuple[Sequence[int], bytes] = ([0] * len(COUNTS), b"")
LINE = ("pk", "contact", "contact__source", "at", "what", "from_operator", "to_operator")


def tally_when_due(*, now: datetime | None = None, go_on: GoOn = lambda: True) -> int:
    """Adds rows, while `go_on`, if the oldest one that is missing is of a past hour, or if there are many. Returns how
    many.

    Each transaction changes several rows for each row of the history, or hardly more for a thousand of them.
    """
    oldest = list(in_commit_order(rows_after(read_mark())).values_list("at", flat=True)[:AT_ONCE])
    is_due = len(oldest) == AT_ONCE or any(at < floor_hour(now or timezone.now()) for at in oldest)
    return tally_all(go_on=go_on) if is_due else 0


def tally_all(*, go_on: GoOn = lambda: True) -> int:
    """Adds all rows, while `go_on`. Returns how many."""
    total = 0
    while go_on() and (added := tally_some()):
        total += added
    return total


def tally_some() -> int:
    """Adds the next rows, AT_ONCE at the most. Returns how many."""
    for attempt in retry.attempts():
        with attempt:
            ReportProgress.objects.get_or_create(pk=1)
            progress = ReportProgress.objects.select_for_update().get(pk=1)
            marks = next_rows((progress.transaction, progress.event))
            if marks:
                add_to_tallies(entries_of({pk for _, pk in marks}))
                progress.transaction, progress.event = marks[-1]
                progress.save(update_fields=["transaction", "event"])
    return len(marks)


def forget_tallies() -> None:
    """Deletes all tallies of reports, so that the next round makes them again from the history."""
    for attempt in retry.attempts():
        with attempt:
            ReportProgress.objects.get_or_create(pk=1)
            ReportProgress.objects.select_for_update().get(pk=1)
            ReportTally.objects.all().delete()
            transaction, event = NO_MARK
            ReportProgress.objects.update(transaction=transaction, event=event)


def read_mark() -> Mark:
    return ReportProgress.objects.values_list("transaction", "event").first() or NO_MARK


def rows_after(mark: Mark) -> QuerySet[ContactEvent]:
    """The rows of the history that are not in the tallies. Found by the index of transactions, or by id on SQLite."""
    transaction, event = mark
    if connection.vendor != "postgresql":
        return ContactEvent.objects.filter(pk__gt=event)
    return ContactEvent.objects.filter(transaction__gte=transaction).exclude(transaction=transaction, pk__lte=event)


def in_commit_order(rows: QuerySet[ContactEvent]) -> QuerySet[ContactEvent]:
    return rows.order_by("transaction", "pk") if connection.vendor == "postgresql" else rows.order_by("pk")


def next_rows(mark: Mark) -> list[Mark]:
    """The next rows to add, only those before which no other can appear any more."""
    rows = rows_after(mark)
    if connection.vendor == "postgresql":
        rows = rows.filter(transaction__lt=commit_order.oldest_here())
    return list(in_commit_order(rows).values_list("transaction", "pk")[:AT_ONCE])


def entries_of(pks: set[int]) -> Iterator[Entry]:
    """What these rows add. Reads the whole histories of their contacts."""
    contacts = set(ContactEvent.objects.filter(pk__in=pks).values_list("contact", flat=True))
    lines = ContactEvent.objects.filter(contact__in=contacts, pk__lte=max(pks, default=0))
    ordered = lines.order_by("contact", "pk").values_list(*LINE)
    return (entry for entry in read_histories(map(Line._make, ordered)) if entry.pk in pks)


def add_to_tallies(entries: Iterable[Entry]) -> None:
    """Adds them to every tally that they belong to, inside the caller's transaction, which holds the progress."""
    hours: dict[tuple[int, int, datetime], Figures] = defaultdict(Figures)
    for entry in entries:
        hours[entry.source_id, entry.operator_id or NOBODY, floor_hour(entry.at)].add(entry)
    added: dict[Key, Figures] = defaultdict(Figures)
    for (source, operator, hour), figures in hours.items():
        for length in Length:
            start = floor(hour, length)
            for of_source in (source, ALL):
                for of_operator in (operator, ALL):
                    added[length, of_source, of_operator, start].add_all(figures)
    stored = stored_sums(added)
    store([tally_row(key, figures, *stored.get(key, NOTHING)) for key, figures in added.items()])


def stored_sums(keys: Iterable[Key]) -> dict[Key, tuple[Sequence[int], bytes]]:
    """The stored counts and durations of all tallies that begin when one of these does."""
    starts: dict[int, set[datetime]] = defaultdict(set)
    for length, _source, _operator, start in keys:
        starts[length].add(start)
    stored = {}
    for length, moments in starts.items():
        found = ReportTally.objects.filter(length=length, start__in=moments)
        for source, operator, start, durations, *counts in found.values_list(
            "source", "operator", "start", "durations", *COUNTS
        ):
            stored[length, source, operator, start] = (counts, bytes(durations))
    return stored


def tally_row(key: Key, figures: Figures, counts: Sequence[int], durations: bytes) -> ReportTally:
    length, source, operator, start = key
    figures.counts.update(dict(zip(COUNTS, counts, strict=True)))
    figures.durations.update(dict(unpack_durations(durations)))
    return ReportTally(
        length=length,
        source=source,
        operator=operator,
        start=start,
        durations=pack_durations(figures.durations),
        **{name: figures.counts[name] for name in COUNTS},
    )


def store(rows: list[ReportTally]) -> None:
    ReportTally.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["length", "source", "operator", "start"],
        update_fields=[*COUNTS, "durations"],
    )


def floor(moment: datetime, length: int) -> datetime:
    """The start of the hour, day or month in UTC that the moment is in."""
    hour = floor_hour(moment)
    if length == Length.HOUR:
        return hour
    return hour.replace(hour=0) if length == Length.DAY else hour.replace(hour=0, day=1)


def ceiling(moment: datetime, length: Length) -> datetime:
    """The start of the next hour, day or month, or the moment itself if it is one."""
    start = floor(moment, length)
    if start == moment:
        return start
    return floor(start + NEXT[length], length)
