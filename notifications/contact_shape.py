"""The contact as it was after a row of its history, in the shape of its API (`routing.api.contacts`).

`message` is left out. Texts about persons are those of the contact as it is now: of an erased person nothing is left.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any, NamedTuple

from core.moments import format_utc
from leads import warnings
from operators.models import Operator
from routing.history import CAUSES, What
from routing.models import Contact, ContactEvent, OpeningHours
from routing.opening_hours import next_opening

KEEPS_OPERATOR = (What.RESOLVED, What.ACCEPTED, What.TOUCHED)  # all others give it to somebody, or to the queue


@dataclass(frozen=True, slots=True)
class Past:
    """What a contact's history says up to a row: when the operator of then took it, and how many have had it.

    `opens_at`: of one that waits for opening hours, when they begin, as they are today.
    """

    accepted_at: datetime | None
    offers: int
    opens_at: datetime | None
    is_latest: bool  # whether nothing has happened to it since


class Line(NamedTuple):
    """What counts of a row of history. Instances of the model would cost more than all the rest of an event."""

    contact_id: int
    pk: int
    what: str
    at: datetime
    from_operator_id: int | None
    to_operator_id: int | None


def read_pasts(rows: Collection[ContactEvent]) -> dict[int, Past]:
    """By the row's id. One query."""
    history = defaultdict[int, list[Line]](list)
    lines = ContactEvent.objects.filter(contact__in={row.contact_id for row in rows}).order_by("pk")
    for values in lines.values_list(*Line._fields):
        line = Line._make(values)
        history[line.contact_id].append(line)
    openings = read_openings(rows)
    return {row.pk: past_of(row, history[row.contact_id], openings.get(row.pk)) for row in rows}


def read_openings(rows: Collection[ContactEvent]) -> dict[int, datetime | None]:
    """By the id of a row after which the contact waits for opening hours: when they begin. One query, if any does."""
    closed = [row for row in rows if row.reason == Contact.Waiting.CLOSED_HOURS]
    if not closed:
        return {}
    sources = Contact.objects.filter(pk__in={row.contact_id for row in closed}).values_list("pk", "source_id")
    by_contact = dict(sources)
    hours = OpeningHours.objects.in_bulk(set(by_contact.values()), field_name="source_id")
    return {row.pk: next_opening(hours.get(by_contact[row.contact_id]), row.at) for row in closed}


def past_of(row: ContactEvent, history: Sequence[Line], opens_at: datetime | None) -> Past:
    accepted_at, holders = None, set[int | None]()
    for line in takewhile(lambda line: line.pk <= row.pk, history):
        if line.what == What.ACCEPTED:
            accepted_at = line.at
        elif line.what not in KEEPS_OPERATOR:
            accepted_at = None
        holders |= {line.from_operator_id, line.to_operator_id}
    is_latest = not history or history[-1].pk == row.pk
    return Past(accepted_at, len(holders - {None}), opens_at, is_latest)


def holder_of(row: ContactEvent) -> int | None:
    """The operator who had the contact afterwards. A resolved contact stays with its last operator."""
    return row.from_operator_id if row.what == What.RESOLVED else row.to_operator_id


def contact_data(row: ContactEvent, contact: Contact, past: Past, operators: Mapping[int, Operator]) -> dict[str, Any]:
    holder = operators.get(holder_of(row) or 0)
    is_resolved = row.what == What.RESOLVED
    return {
        "id": contact.pk,
        "lead_id": contact.lead_id,
        "source_id": contact.source_id,
        "operator_id": holder and holder.pk,
        "is_resolved": is_resolved,
        "created_at": format_utc(contact.created_at),
        "updated_at": format_utc(row.at),
        "assignment": {
            "status": "resolved" if is_resolved else "assigned" if holder else "waiting",
            "reason": row.reason,
            "position": None,
            "accepted_at": past.accepted_at and format_utc(past.accepted_at),
            "due_at": format_utc(contact.due_at) if past.is_latest and contact.due_at else None,
            "offers": past.offers,
            "opens_at": past.opens_at and format_utc(past.opens_at),
        },
        "operator": holder and {"id": holder.pk, "name": holder.name, "external_ref": holder.external_ref},
        "warnings": [asdict(one) for one in warnings.list_warnings(contact)],
        "from_operator_id": row.from_operator_id,
        "by": row.by,
        "cause": CAUSES.get(What(row.what)),
    }
