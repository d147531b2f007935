"""The feed of events, read from the history of contacts and from the changes of configuration (ADR 0028).

It gives what is committed. A test that reads its own uncommitted rows finds nothing on PostgreSQL.
"""

import time
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, Min, Q
from django.utils import timezone

from core.changes.models import Change
from notifications import windows
from notifications.cursors import START, Cursor
from notifications.event_data import BITS, LAST, TYPES, Event, Found, found_in, render_events
from notifications.feed_rows import Asked, FeedModel, FeedRow, as_place, by_id, last_id, place_before, take_events
from routing.models import Contact, ContactEvent

__all__ = [
    "START",
    "TYPES",
    "Cursor",
    "Event",
    "add_messages",
    "cursor_at",
    "find_events",
    "is_among",
    "latest_cursor",
    "newest_ids",
    "read_feed",
]

SCANNING = 2.0  # seconds for which one call goes on reading events that are not asked for
CLOCKS = timedelta(minutes=1)  # how far the clocks of two processes may differ


def read_feed(
    *, after: Cursor, limit: int, types: Collection[str] | None = None, source_id: int | None = None
) -> tuple[list[Event], Cursor]:
    """The next events, at most `limit`, oldest first, and the cursor after them. None stands for all.

    Events that other transactions have yet to commit come later; none is left out or given twice from one cursor, and
    those of one contact come in their order. Events older than EVENTS_DAYS are left out. The cursor is equal to `after`
    if there is nothing more; with few events that are asked for among many it moves on without any.
    """
    asked = Asked(None if types is None else frozenset(types), source_id, oldest_kept())
    taken: list[Found] = []
    cursor, give_up = after, time.monotonic() + SCANNING
    while len(taken) < limit and time.monotonic() < give_up:
        found, reached = read_step(cursor, limit - len(taken), asked)
        taken += found
        if reached == cursor:
            break
        cursor = reached
    return render_events(taken), cursor


def latest_cursor() -> Cursor:
    """The place behind all events that can be read now."""
    if connection.vendor == "postgresql":
        end = windows.end_of_settled()
        return Cursor(end, end)
    return Cursor(contact_event=last_id(ContactEvent), change=last_id(Change))


def newest_ids() -> tuple[int, int]:
    """The ids of the newest events of contacts and of configuration. Unlike a moment they tell older events from newer
    ones also when the clock is set back."""
    return last_id(ContactEvent), last_id(Change)


def is_among(event: Event, newest: tuple[int, int]) -> bool:
    """Whether it was there already when these were the newest."""
    of_contacts, of_configuration = newest
    return event.id <= (of_configuration if event.id & LAST == LAST else of_contacts)


def cursor_at(moment: datetime) -> Cursor:
    """The place before the first event since this moment, by the clock of the process that wrote it. A few older ones,
    written by processes whose clocks differ, may follow."""
    asked = Asked(None, None, moment)
    places = [min(place_before(model, asked), last_id(model)) for model in (ContactEvent, Change)]
    high = windows.end_of_window(0, windows.end_of_settled()) if connection.vendor == "postgresql" else 0
    return Cursor(0, high, *places)


def find_events(ids: Iterable[int]) -> dict[int, Event]:
    """Reads events again, as they are rendered now, by id. Those that do not exist are left out."""
    wanted = set(ids)
    changes = {event_id >> BITS for event_id in wanted if event_id & LAST == LAST}
    rows = {event_id >> BITS for event_id in wanted if event_id & LAST != LAST}
    stored: list[FeedRow] = [*ContactEvent.objects.filter(pk__in=rows).defer("evidence")]
    stored += Change.objects.filter(pk__in=changes)
    found = [found for row in stored for found in found_in(row) if found.id in wanted]
    return {event.id: event for event in render_events(found)}


def add_messages(events: Iterable[Event]) -> list[Event]:
    """The same events with the `message` of each contact in `data`, as it is now."""
    events = list(events)
    contacts = {event.contact_id for event in events if event.contact_id is not None}
    messages = dict(Contact.objects.filter(pk__in=contacts).values_list("pk", "message"))
    return [
        replace(event, data=event.data | {"message": messages[event.contact_id]}) if event.contact_id else event
        for event in events
    ]


def oldest_kept() -> datetime:
    return timezone.now() - timedelta(days=settings.EVENTS_DAYS)


def read_step(cursor: Cursor, limit: int, asked: Asked) -> tuple[list[Found], Cursor]:
    """Reads from one window. The cursor that it returns is the same if there is nothing to read."""
    if connection.vendor != "postgresql":
        return read_by_id(cursor, limit, asked)
    settled = windows.end_of_settled()
    if cursor.high > settled:
        cursor = cursor_before_restore(cursor)
    if not cursor.is_between_windows:
        return read_on(cursor, limit, asked)
    high = windows.end_of_window(cursor.low, settled)
    if high <= cursor.low:
        return [], cursor
    return open_window(Cursor(cursor.low, high), limit, asked)


def cursor_before_restore(cursor: Cursor) -> Cursor:
    """In place of a cursor from a later state than the database's, which was restored. Some events come twice."""
    return cursor_at(datetime.fromtimestamp(min(cursor.made_at, int(time.time())), UTC) - CLOCKS)


def read_by_id(cursor: Cursor, limit: int, asked: Asked) -> tuple[list[Found], Cursor]:
    """On SQLite: ids are in the order of commits, so that all rows up to the last one are read when no more come."""
    last_event, last_change = last_id(ContactEvent), last_id(Change)
    if (cursor.contact_event, cursor.change) == (last_event, last_change):
        return [], cursor
    if cursor.contact_event > last_event or cursor.change > last_change:
        cursor = cursor_before_restore(cursor)
    first = cursor.contact_event or place_before(ContactEvent, asked)
    rows = by_id(asked.of_contacts(), first, limit)
    changes = by_id(asked.of_configuration(), cursor.change or place_before(Change, asked), limit)
    found, reached, is_all = take_events(cursor, rows, changes, limit, asked)
    if is_all:
        reached = replace(
            reached, contact_event=max(reached.contact_event, last_event), change=max(reached.change, last_change)
        )
    return found, reached


def open_window(window: Cursor, limit: int, asked: Asked) -> tuple[list[Found], Cursor]:
    """Reads from the beginning of a window. The rows of a small one are found by their transactions. Of a large one it
    is found where its ids begin, and it is then read by id."""
    end = Cursor(window.high, window.high)
    if asked.source_id is not None and not windows.has_rows_of(asked.source_id, window.low, window.high):
        return [], end
    inside = Q(transaction__gte=window.low, transaction__lt=window.high)
    rows = sorted(asked.of_contacts().filter(inside)[:limit], key=lambda row: row.pk)
    changes = sorted(asked.of_configuration().filter(inside)[:limit], key=lambda row: row.pk)
    events, _, is_all = take_events(window, rows, changes, limit, asked)
    if is_all:
        return events, end
    first, change = (before_window(model, window, inside, asked) for model in (ContactEvent, Change))
    return read_on(replace(window, contact_event=first, change=change), limit, asked)


def before_window(model: FeedModel, window: Cursor, inside: Q, asked: Asked) -> int:
    """The place before the ids of the window. The sum keeps PostgreSQL from looking for the least id in order of ids,
    which would lead through all older rows."""
    if not window.low:
        return place_before(model, asked)
    return as_place(model._default_manager.filter(inside).aggregate(first=Min(F("pk") + 0))["first"])


def read_on(cursor: Cursor, limit: int, asked: Asked) -> tuple[list[Found], Cursor]:
    """Goes on in a window by id. The sum keeps PostgreSQL from reading the whole window by transaction each time."""
    number: Any = F("transaction") + 0
    inside = Q(number__gte=cursor.low, number__lt=cursor.high)
    rows = by_id(asked.of_contacts().alias(number=number).filter(inside), cursor.contact_event, limit)
    changes = by_id(asked.of_configuration().alias(number=number).filter(inside), cursor.change, limit)
    events, reached, is_all = take_events(cursor, rows, changes, limit, asked)
    return events, Cursor(cursor.high, cursor.high) if is_all else reached
