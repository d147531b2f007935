"""The sources on the page *Now*, the worst first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.admin import formatting
from routing.admin.now.remedies import Reserve, Trouble, read_reserve, trouble_of, waiting_contacts_url
from routing.admin.now.snapshot import Clocks, Member, Snapshot
from routing.models import Source

SHOWN = 50


@dataclass(frozen=True, slots=True)
class SourceLine:
    source: Source
    waiting: int
    waits_since: datetime | None  # the first in the queue
    waiting_url: str
    clocks: Clocks
    arrivals: int
    on_duty: str  # the first names
    on_duty_count: int
    free_places: int
    trouble: Trouble | None

    @property
    def next_by(self) -> str:
        """By when the next contact is to be taken; empty if none is."""
        return formatting.format_time(self.clocks.next_at) if self.clocks.next_at else ""

    @property
    def is_urgent(self) -> bool:
        return bool(self.clocks.overdue or (self.waiting and not self.source.opens_at))


def source_lines(snapshot: Snapshot) -> list[SourceLine]:
    """Of all open sources: first where a contact is overdue or waits, the longest wait first; then where the next
    contact would wait; then by name."""
    reserve = reserve_of(snapshot)
    lines = [source_line(source, snapshot, reserve) for source in snapshot.sources]
    return sorted(lines, key=lambda line: urgency(line, snapshot.now))


def reserve_of(snapshot: Snapshot) -> Reserve:
    """Of the sources on which nobody free is on duty, those who are off duty."""
    off_duty = {}
    for members in snapshot.rosters.values():
        if not any(one.free_places for one in members):
            off_duty.update({one.operator.pk: one.operator for one in members if not one.operator.is_active})
    return read_reserve(off_duty.values(), snapshot.now)


def urgency(line: SourceLine, now: datetime) -> tuple[Any, ...]:
    waits = (now - line.waits_since).total_seconds() if line.waits_since else 0
    is_quiet = line.source.opens_at is not None or line.trouble is None
    return not line.is_urgent, -waits if line.is_urgent else 0, is_quiet, line.source.name, line.source.pk


def source_line(source: Source, snapshot: Snapshot, reserve: Reserve) -> SourceLine:
    queue = snapshot.queues.get(source.pk)
    on_duty = [one for one in snapshot.rosters.get(source.pk, []) if one.operator.is_active]
    return SourceLine(
        source=source,
        waiting=queue.waiting if queue else 0,
        waits_since=snapshot.waiting_since.get(queue.contact_id, queue.oldest_created_at) if queue else None,
        waiting_url=waiting_contacts_url(source.pk),
        clocks=snapshot.clocks_by_source.get(source.pk, Clocks()),
        arrivals=snapshot.arrivals.get(source.pk, 0),
        on_duty=names_of(on_duty),
        on_duty_count=len(on_duty),
        free_places=sum(one.free_places for one in on_duty),
        trouble=trouble_of(source, snapshot, reserve),
    )


def names_of(members: Sequence[Member]) -> str:
    """Who has most free places first."""
    ranked = sorted(members, key=lambda one: (-one.free_places, one.operator.name, one.operator.pk))
    return formatting.first_few((one.operator.name for one in ranked[: formatting.SHOWN]), count=len(ranked))
