"""Follows one contact through its history. Pure: no clock, no database."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

MOVES_FROM_HOLDER = {"returned", "handed_over", "declined", "timed_out"}
MOVES = MOVES_FROM_HOLDER | {"dequeued", "reassigned", "given"}
TO_SOMEBODY = {"dequeued", "reassigned", "given"}
REACTIONS = {"accepted", "touched"}


class Event(NamedTuple):
    """One row of the history; `what` is a value of `ContactEvent.What`."""

    pk: int
    contact_id: int
    at: datetime
    what: str
    from_operator: int | None
    to_operator: int | None
    reason: str | None
    by: str
    strategy: str | None
    transaction: int


@dataclass(slots=True)
class Life:
    """What the events so far say of a contact.

    `operator_id` is that of the row: who has resolved it stays there. `since`: when it began to wait, if it waits.
    """

    operator_id: int | None = None
    is_resolved: bool = False
    is_taken: bool = False
    is_answered: bool = False
    former: set[int] = field(default_factory=set)
    reason: str | None = None  # why it began to wait
    registered_at: datetime | None = None
    since: datetime | None = None
    assigned_at: datetime | None = None
    resolved_at: datetime | None = None

    @property
    def holder(self) -> int | None:
        return None if self.is_resolved else self.operator_id

    @property
    def is_open(self) -> bool:
        return self.holder is not None

    @property
    def is_waiting(self) -> bool:
        return not self.is_resolved and self.operator_id is None

    def follow(self, event: Event) -> Iterator[str]:
        """Applies the event; yields why it cannot have come after those before it, as the end of a sentence. Later ones
        are judged as if it could."""
        yield from self.contradictions(event)
        if event.what in REACTIONS:
            self.is_taken |= event.what == "accepted"
            self.is_answered |= event.what == "touched"
        elif event.what == "resolved":
            self.assign(event.from_operator, event.at)
            self.is_resolved, self.resolved_at, self.since, self.reason = True, event.at, None, None
        else:
            self.assign(event.to_operator, event.at, again=True)
            self.reason = event.reason
            self.registered_at = self.registered_at or event.at

    def assign(self, operator_id: int | None, at: datetime, *, again: bool = False) -> None:
        """`again`: also to the one who had it, which begins all over."""
        if operator_id == self.operator_id and not again:
            return
        if self.operator_id and operator_id != self.operator_id:
            self.former.add(self.operator_id)
        was_waiting = self.is_waiting and self.registered_at
        self.operator_id, self.is_resolved, self.resolved_at = operator_id, False, None
        self.is_taken = self.is_answered = False
        self.assigned_at = at if operator_id else None
        self.since = None if operator_id else self.since if was_waiting else at

    def contradictions(self, event: Event) -> Iterator[str]:
        what = event.what
        if self.registered_at is None:
            if what != "registered":
                yield "is the first one, although a history begins with “registered”"
            return
        if what == "registered":
            yield "registers it once more"
        elif what == "reopened":
            if not self.is_resolved:
                yield "reopens it, although the events before it have not resolved it"
        elif self.is_resolved:
            yield "comes after it was resolved"
        elif what in REACTIONS:
            if event.to_operator is None or event.to_operator != self.operator_id:
                yield f"is of {named(event.to_operator)}, although {self.whereabouts()}"
        elif event.from_operator != self.operator_id:
            yield f"takes it from {named(event.from_operator)}, although {self.whereabouts()}"
        elif what in MOVES_FROM_HOLDER and self.operator_id is None:
            yield f"takes it from its operator, although {self.whereabouts()}"
        elif what in TO_SOMEBODY and event.to_operator is None:
            yield "gives it to nobody"

    def whereabouts(self) -> str:
        if self.is_resolved:
            return "it was resolved"
        return f"{named(self.operator_id)} had it" if self.operator_id else "it waited"


def named(operator_id: int | None) -> str:
    return f"operator {operator_id}" if operator_id else "nobody"
