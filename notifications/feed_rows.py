"""The rows of history and of changes that the feed is read from: which are asked for, and the events in them."""

import heapq
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from django.db.models import F, Min, Q, QuerySet

from core.changes.models import Change
from core.db.compiled import Select
from core.ids import LARGEST
from notifications import event_data
from notifications.cursors import Cursor
from notifications.event_data import BITS, LAST, Found, found_in
from routing.models import ContactEvent

FeedRow = ContactEvent | Change
FeedModel = type[ContactEvent] | type[Change]
AnyRow = TypeVar("AnyRow", ContactEvent, Change)
NO_MORE = LARGEST  # in place of the last id, of a table that has no row left in the window


@dataclass(frozen=True, slots=True)
class Asked:
    """Which events: of these types, of this source; None stands for all."""

    types: frozenset[str] | None
    source_id: int | None
    since: datetime

    def of_contacts(self) -> QuerySet[ContactEvent]:
        rows = ContactEvent.objects.filter(at__gte=self.since).defer("evidence", "draw", "strategy", "preferred")
        if self.types is not None:
            rows = rows.filter(what__in=event_data.what_of(set(self.types)))
        return rows if self.source_id is None else rows.filter(contact__source=self.source_id)

    def of_configuration(self) -> QuerySet[Change]:
        wanted = Q(pk__in=[])
        for kind, name in event_data.OF_CONFIGURATION.items():
            if self.wants(name):
                wanted |= Q(what__startswith=f"{kind}.")
        wanted |= Q(what__in=[name for name in event_data.OF_LEADS if self.wants(name)])
        rows = Change.objects.filter(wanted, at__gte=self.since)
        return rows if self.source_id is None else rows.filter(source_id=self.source_id)

    def wants(self, name: str) -> bool:
        return self.types is None or name in self.types


def take_events(
    cursor: Cursor, rows: Sequence[ContactEvent], changes: Sequence[Change], limit: int, asked: Asked
) -> tuple[list[Found], Cursor, bool]:
    """The first events of these rows, which are up to `limit` of each table in order of ids; the cursor after them,
    and whether they are the last. The tables are merged by moment; within each, the order is that of the ids."""
    of_contacts = [
        found for row in rows for found in found_in(row) if found.id > cursor.contact_event and asked.wants(found.type)
    ]
    of_changes = [found for row in changes for found in found_in(row) if found.id > cursor.change]
    taken = list(islice(heapq.merge(of_contacts, of_changes, key=lambda found: found.at), limit))
    ids = {found.id for found in taken}
    last_event = last_place(cursor.contact_event, rows, of_contacts, ids)
    last_change = last_place(cursor.change, changes, of_changes, ids)
    is_all = len(taken) == len(of_contacts) + len(of_changes) and len(rows) < limit and len(changes) < limit
    reached = Cursor(cursor.low, cursor.high, last_event, last_change)
    return taken, reached, is_all


def last_place(before: int, rows: Sequence[FeedRow], candidates: Sequence[Found], taken: Collection[int]) -> int:
    """The place after the last row if all of its table's events were taken, otherwise after the last that was."""
    mine = [found for found in candidates if found.id in taken]
    if rows and len(mine) == len(candidates):
        return rows[-1].pk << BITS | LAST
    return mine[-1].id if mine else before


def by_id(rows: QuerySet[AnyRow], last: int, limit: int) -> list[AnyRow]:
    """The next rows that may have events after this place."""
    return list(rows.filter(pk__gte=last + 1 >> BITS).order_by("pk")[:limit])


def place_before(model: FeedModel, asked: Asked) -> int:
    """The place before the first row that is as young as asked. Reads the whole table: ids follow moments only nearly,
    and not at all where history was imported."""
    return as_place(model._default_manager.filter(at__gte=asked.since).aggregate(first=Min(F("pk") + 0))["first"])


def as_place(first: int | None) -> int:
    return NO_MORE if first is None else (first << BITS) - 1


LAST_IDS: dict[FeedModel, Select[tuple[int]]] = {
    ContactEvent: Select(lambda: ContactEvent.objects.order_by("-pk").values_list("pk")[:1]),
    Change: Select(lambda: Change.objects.order_by("-pk").values_list("pk")[:1]),
}


def last_id(model: FeedModel) -> int:
    """The place after all rows of the table. Compiled: a bot that polls asks for little else."""
    [last] = [pk for (pk,) in LAST_IDS[model]()] or [0]
    return last << BITS | LAST
