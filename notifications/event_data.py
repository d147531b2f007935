"""Renders events from rows of the history and of the changes."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.changes.models import Change
from core.moments import format_utc
from notifications.contact_shape import contact_data, holder_of, read_pasts
from operators.models import Operator
from routing.history import What
from routing.models import Contact, ContactEvent

ASSIGNED, QUEUED = "contact.assigned", "contact.queued"
MOVED = "contact.assigned or contact.queued"  # whichever the row says

# The events that a row of a contact's history stands for, in their order.
OF_HISTORY: dict[str, tuple[str, ...]] = {
    What.REGISTERED: ("contact.registered", MOVED),
    What.DEQUEUED: (MOVED,),
    What.REASSIGNED: (MOVED,),
    What.GIVEN: (MOVED,),
    What.RETURNED: (MOVED,),
    What.HANDED_OVER: (MOVED,),
    What.RESOLVED: ("contact.resolved",),
    What.REOPENED: ("contact.reopened", MOVED),
    What.ACCEPTED: ("contact.accepted",),
    What.DECLINED: ("contact.declined", MOVED),
    What.TIMED_OUT: ("contact.timed_out", MOVED),
}
OF_CONFIGURATION = {"operator": "operator.changed", "source": "source.changed", "roster": "roster.changed"}
OF_LEADS = ("lead.merged", "lead.unmerged", "lead.erased")

CONTACT_TYPES = (
    *("contact.registered", ASSIGNED, QUEUED, "contact.accepted", "contact.declined", "contact.timed_out"),
    *("contact.resolved", "contact.reopened"),
)
TYPES = (*CONTACT_TYPES, *OF_CONFIGURATION.values(), *OF_LEADS)

PRIVATE = {"absence_reason"}  # fields of changes that are not sent to other systems, such as an illness

# An event's id: that of its row, and in the last bits which event of the row it is; all ones for a change.
BITS = 3
LAST = 7


@dataclass(frozen=True, slots=True)
class Event:
    """`id` is unique among all events. `contact_id` is None for events that are not about a contact."""

    id: int
    type: str
    at: datetime
    data: dict[str, Any]
    contact_id: int | None
    source_id: int | None
    operator_id: int | None
    from_operator_id: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """An event that is still to be rendered."""

    at: datetime
    id: int
    type: str
    row: ContactEvent | Change


def what_of(types: Collection[str]) -> list[str]:
    """The values of `what` of history rows that may stand for one of these types."""
    wanted = {*types, *([MOVED] if ASSIGNED in types or QUEUED in types else [])}
    return [what for what, kinds in OF_HISTORY.items() if wanted & set(kinds)]


def found_in(row: ContactEvent | Change) -> Iterator[Found]:
    """The events that the row stands for, in their order."""
    if isinstance(row, Change):
        kind = row.what if row.what in OF_LEADS else OF_CONFIGURATION.get(row.what.partition(".")[0])
        if kind:
            yield Found(row.at, row.pk << BITS | LAST, kind, row)
        return
    for place, kind in enumerate(OF_HISTORY.get(row.what, ())):
        if kind == MOVED:
            # A contact that was resolved before it was imported has neither operator nor reason.
            kind = ASSIGNED if row.to_operator_id else QUEUED if row.reason else None
        if kind:
            yield Found(row.at, row.pk << BITS | place, kind, row)


def render_events(found: Sequence[Found]) -> list[Event]:
    """The events in this order, with contacts and operators as they are now."""
    rows = [one.row for one in found if isinstance(one.row, ContactEvent)]
    contacts = Contact.objects.defer("message").in_bulk({row.contact_id for row in rows})
    operators = Operator.objects.in_bulk({pk for row in rows if (pk := holder_of(row)) is not None})
    pasts = read_pasts(rows) if rows else {}
    return [
        event_of_change(one, one.row)
        if isinstance(one.row, Change)
        else event_of_contact(one, contact_data(one.row, contacts[one.row.contact_id], pasts[one.row.pk], operators))
        for one in found
    ]


def event_of_contact(found: Found, data: dict[str, Any]) -> Event:
    return Event(
        id=found.id,
        type=found.type,
        at=found.at,
        data=data,
        contact_id=data["id"],
        source_id=data["source_id"],
        operator_id=data["operator_id"],
        from_operator_id=data["from_operator_id"],
    )


def event_of_change(found: Found, change: Change) -> Event:
    is_of_lead = found.type in OF_LEADS
    return Event(
        id=found.id,
        type=found.type,
        at=found.at,
        data={**change.after, "by": change.by} if is_of_lead else change_data(change),
        contact_id=None,
        source_id=change.source_id,
        operator_id=change.operator_id,
        from_operator_id=None,
    )


def change_data(change: Change) -> dict[str, Any]:
    """The change as its API shows it, without what is nobody else's business."""
    return {
        "id": change.pk,
        "at": format_utc(change.at),
        "by": change.by,
        "via": change.via,
        "what": change.what,
        "operator_id": change.operator_id,
        "source_id": change.source_id,
        "subject": change.subject or None,
        "before": without_private(change.before),
        "after": without_private(change.after),
        "reason": change.reason or None,
        "reverts": change.reverts_id,
    }


def without_private(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in PRIVATE}
