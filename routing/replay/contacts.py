"""Follows every contact through its history, in pages, and compares what comes out with its row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from routing.history import ORIGINAL
from routing.models import Contact, ContactEvent
from routing.replay.differences import Difference, Kind
from routing.replay.lives import Event, Life, named

TOGETHER = 2_000  # contacts read at a time, with their events
APART = timedelta(minutes=5)  # between a moment in the row and its event: a large hand-over stores them one by one
LISTED = 1_000  # contacts of one queue that are named
KEPT_REASONS = {Contact.Waiting.RETURNED, Contact.Waiting.NOBODY_REACTED}  # the others follow the roster


class Row(NamedTuple):
    """A contact as it is stored."""

    pk: int
    source_id: int
    operator_id: int | None
    waiting_reason: str | None
    created_at: datetime
    assigned_at: datetime | None
    accepted_at: datetime | None
    first_reaction_at: datetime | None
    resolved_at: datetime | None
    former_operator_ids: list[int] | None


COLUMNS = (
    "pk",
    "source_id",
    "operator_id",
    "waiting_reason",
    "created_at",
    "assigned_at",
    "accepted_at",
    "first_reaction_at",
    "resolved_at",
    "former_operator_ids",
)
EVENT = (
    "pk",
    "contact_id",
    "at",
    "what",
    "from_operator_id",
    "to_operator_id",
    "reason",
    "by",
    "strategy",
    "transaction",
)


@dataclass(slots=True)
class Queue:
    """Who waits in a source: how many, and the first of them, each with the moment since which it waits."""

    waiting: int = 0
    first: list[tuple[int, datetime | None]] = field(default_factory=list)

    def add(self, contact_id: int, since: datetime | None) -> None:
        self.waiting += 1
        if len(self.first) < LISTED:
            self.first.append((contact_id, since))


def read_contacts() -> Iterator[tuple[Row, list[Event]]]:
    """All contacts in the order of their ids, each with its history."""
    last = 0
    while rows := [
        Row._make(values)
        for values in Contact.objects.filter(pk__gt=last).order_by("pk").values_list(*COLUMNS)[:TOGETHER]
    ]:
        histories = read_histories(rows)
        for row in rows:
            yield row, histories.pop(row.pk, [])
        last = rows[-1].pk


def read_histories(rows: Sequence[Row]) -> dict[int, list[Event]]:
    """Contact id to its events in their order."""
    events = ContactEvent.objects.filter(contact__gte=rows[0].pk, contact__lte=rows[-1].pk)
    ordered = map(Event._make, events.order_by("contact", "pk").values_list(*EVENT))
    return {contact_id: list(its) for contact_id, its in groupby(ordered, key=attrgetter("contact_id"))}


def follow(row: Row, events: Sequence[Event]) -> tuple[Life, list[Difference]]:
    """The contact after its last event, and what is wrong with its history and its row."""
    life, found = Life(), list[Difference]()
    for event in events:
        for problem in life.follow(event):
            text = f"Contact {row.pk}: event {event.pk}, “{event.what}”, {problem}. Events are missing or were changed."
            found.append(Difference(Kind.HISTORY, text, {"contact": row.pk, "event": event.pk}))
    if not events:
        text = f"Contact {row.pk} has no history. It must begin with “registered”."
        return life, [Difference(Kind.HISTORY, text, {"contact": row.pk})]
    is_moved_in = all(event.by == ORIGINAL for event in events)
    for problem in compare(row, life, is_moved_in=is_moved_in):
        found.append(Difference(Kind.CONTACT, f"Contact {row.pk}: {problem}", {"contact": row.pk}))
    return life, found


def compare(row: Row, life: Life, *, is_moved_in: bool) -> Iterator[str]:
    """Why the row is not what the history ends with. `is_moved_in`: from another service, which knew fewer moments."""
    is_resolved = row.resolved_at is not None
    stored, rebuilt = whereabouts(row.operator_id, is_resolved), whereabouts(life.operator_id, life.is_resolved)
    if stored != rebuilt:
        yield f"by its history {rebuilt}, but its row says that {stored}."
        return
    reasons = {row.waiting_reason, life.reason} & KEPT_REASONS
    if life.is_waiting and reasons and row.waiting_reason != life.reason:
        yield f"it waits because of “{life.reason}” by its history, because of “{row.waiting_reason}” by its row."
    for stored_at, happened, what in (
        (row.accepted_at, life.is_taken, "taken"),
        (row.first_reaction_at, life.is_answered, "answered"),
    ):
        if (stored_at is not None) != happened:
            yield f"by its history it was {'' if happened else 'not '}{what}, but its row says otherwise."
    former = set(row.former_operator_ids or ())
    if (former ^ life.former) - {row.operator_id}:
        yield f"by its history {listed(life.former)} had it before, by its row {listed(former)}."
    if is_moved_in:
        return
    for stored_at, rebuilt_at, what in (
        (row.created_at, life.registered_at, "registered"),
        (row.assigned_at, life.assigned_at, "assigned"),
        (row.resolved_at, life.resolved_at, "resolved"),
    ):
        if is_apart(stored_at, rebuilt_at):
            yield f"{what} at {moment(rebuilt_at)} by its history, at {moment(stored_at)} by its row."


def whereabouts(operator_id: int | None, is_resolved: bool) -> str:
    if is_resolved:
        return f"{named(operator_id)} had it when it was resolved"
    return f"{named(operator_id)} has it" if operator_id else "it waits"


def listed(operator_ids: set[int]) -> str:
    return f"operators {', '.join(map(str, sorted(operator_ids)))}" if operator_ids else "nobody"


def is_apart(one: datetime | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return one is not other
    return abs(one - other) > APART


def moment(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at else "no moment"
