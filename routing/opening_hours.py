"""Opening hours of sources: outside them contacts that nobody has had wait, and are assigned when the source opens.

They hold back what comes out of intake and queue. A contact that somebody has stays there, and if it is handed over,
declined or not taken in time, it goes to others as in opening hours: its client has been answered already. People may
assign contacts by hand at any hour.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from core import retry
from core.changes.recording import SERVICE, Author, record_change
from core.errors import Overtaken
from operators.schedule_input import read_shifts
from routing import queue
from routing.models import OpeningHours, Source
from routing.source_actions import lock_source, require_source

Values = dict[str, Any]  # {"time_zone": "Europe/Moscow", "weekly": [{"weekday", "from", "to"}, ...]}


def read_opening_hours(*, source_id: int) -> Values:
    """The weekly hours; without any an empty list and the service's time zone. Raises Unknown."""
    require_source(source_id)
    values = stored_values(source_id)
    return values | {"time_zone": values["time_zone"] or settings.TIME_ZONE}


def stored_values(source_id: int) -> Values:
    """As in the records of changes: without hours there is no time zone."""
    hours = OpeningHours.objects.filter(source=source_id).first()
    return {"time_zone": hours.time_zone if hours else None, "weekly": hours.shifts if hours else []}


def set_opening_hours(
    *,
    source_id: int,
    time_zone: object,
    shifts: object,
    seen: Mapping[str, Any] | None = None,
    author: Author = SERVICE,
) -> Values:
    """Replaces the weekly hours, which act immediately; without shifts the source is always open. Returns what
    `read_opening_hours` does.

    `seen`: the stored values that the caller wants to change; raises Overtaken if they are others by now. Raises
    Invalid for what is no weekly pattern, and Unknown.
    """
    zone, read = read_shifts(time_zone=time_zone, shifts=shifts)
    after = {"time_zone": zone if read else None, "weekly": read}
    for attempt in retry.attempts():
        with attempt:
            source = lock_source(source_id)
            before = stored_values(source_id)
            if seen is not None and before != seen:
                raise Overtaken
            OpeningHours.objects.filter(source=source).delete()
            hours = OpeningHours.objects.create(source=source, time_zone=zone, shifts=read) if read else None
            set_switch(source, hours, timezone.now())
            record_change("source.scheduled", author, before=before, after=after, source_id=source_id)
    queue.sources_changed([source_id])
    return {"time_zone": zone, "weekly": read}


def turn_opening_hours(now: datetime) -> str:
    """The part of the clock: opens and closes the sources whose edge has come. What was missed meanwhile is skipped: a
    source becomes what its hours say now.

    A source for which it fails does not stop the others. Raises the first failure at the end.
    """
    due = Source.objects.filter(next_edge_at__lte=now).order_by("next_edge_at", "pk").values_list("pk", flat=True)
    turned, failures = 0, list[Exception]()
    for source_id in list(due):
        try:
            if turn_source(source_id, now):
                turned += 1
                queue.sources_changed([source_id])
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return f"{turned} sources opened or closed" if turned else ""


def look_again(now: datetime) -> None:
    """Makes all sources with hours due, inside the caller's transaction. Locks in key order."""
    later = Source.objects.filter(next_edge_at__gt=now).order_by("pk").select_for_update(no_key=True)
    Source.objects.filter(pk__in=[source.pk for source in later]).update(next_edge_at=now)


def turn_source(source_id: int, now: datetime) -> bool:
    """Turns the switch of one source, unless another worker has done it. Returns whether this one did."""
    for attempt in retry.attempts():
        with attempt:
            due = Source.objects.filter(pk=source_id, next_edge_at__lte=now).select_for_update(no_key=True).first()
            if due:
                set_switch(due, OpeningHours.objects.filter(source=due).first(), now)
    return due is not None


def set_switch(source: Source, hours: OpeningHours | None, now: datetime) -> None:
    """Sets the switch of the locked source to what its hours say at this moment, and the moment of the next edge."""
    source.opens_at = next_opening(hours, now)
    source.next_edge_at = hours.weekly.next_edge(now) if hours else None
    source.save(update_fields=["opens_at", "next_edge_at"])


def next_opening(hours: OpeningHours | None, moment: datetime) -> datetime | None:
    """When the source opens again; None if it is open at this moment."""
    if hours is None or hours.weekly.covers(moment):
        return None
    return hours.weekly.next_edge(moment)


def wrong_switches() -> Iterator[str]:
    """Sources that are open or closed although their hours say otherwise, and no edge is due."""
    now = timezone.now()
    for source in Source.objects.current().select_related("opening_hours").order_by("pk"):
        is_due = source.next_edge_at is not None and source.next_edge_at <= now
        hours = getattr(source, "opening_hours", None)
        if not is_due and source.opens_at != next_opening(hours, now):
            state = "closed" if source.opens_at else "open"
            yield f"Source {source.pk} ({source.name}) is {state}, but its opening hours say otherwise."
