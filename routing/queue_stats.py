"""The length of the queue and the position of each contact in it, read without locks."""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import Error
from django.db.models import Count, F, Max, Min, Q, Window, prefetch_related_objects
from django.db.models.functions import RowNumber

from routing.history import What
from routing.models import Contact, ContactEvent, Source

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class QueueLength:
    """The queue of one source: its length, the contact that is the first in it, since when that exists, and why it
    waits."""

    source_id: int
    waiting: int
    contact_id: int
    oldest_created_at: datetime
    reason: str


def queue_lengths() -> list[QueueLength]:
    """The queue of each source that has waiting contacts."""
    grouped = Contact.objects.waiting().order_by("source").values_list("source").annotate(Count("pk"), Min("pk"))
    rows = list(grouped)
    oldest = Contact.objects.in_bulk([pk for _, _, pk in rows])
    return [
        QueueLength(
            source_id, waiting, pk, oldest[pk].created_at, oldest[pk].waiting_reason or Contact.Waiting.NONE_AVAILABLE
        )
        for source_id, waiting, pk in rows
        if pk in oldest
    ]


def waiting_since(contact_ids: Collection[int]) -> dict[int, datetime]:
    """Since when these waiting contacts wait: registered, put back or taken from an operator last. One query."""
    into_the_queue = Q(from_operator__isnull=False) | Q(what__in=(What.REGISTERED, What.REOPENED))
    events = ContactEvent.objects.filter(into_the_queue, contact__in=contact_ids, to_operator__isnull=True)
    return dict(events.exclude(what=What.RESOLVED).order_by().values_list("contact").annotate(Max("at")))


def add_operators(contacts: Sequence[Contact]) -> None:
    """Loads the operators of these contacts with one query, without those that are loaded already."""
    try:
        prefetch_related_objects(contacts, "operator")
    except Error:
        log.warning("The operators of %s contacts are not known", len(contacts), exc_info=True)


def add_positions(contacts: Iterable[Contact]) -> list[Contact]:
    """Sets the queue positions of these contacts with one query, and returns them.

    The caller has already stored the contacts: if the database fails now, only the positions are missing.
    """
    found = list(contacts)
    sources = {contact.source_id for contact in found if contact.status == Contact.Status.WAITING}
    place_in_source = Window(RowNumber(), partition_by=F("source"), order_by="pk")
    queued = Contact.objects.waiting().filter(source__in=sources).annotate(place=place_in_source)
    # A condition without the place would choose the rows first, and then count only those.
    asked = Q(pk__in=[contact.pk for contact in found]) | Q(place=0)
    try:
        places = dict(queued.filter(asked).values_list("pk", "place"))
    except Error:
        log.warning("The places in the queue are not known", exc_info=True)
        places = {}
    for contact in found:
        contact.queue_position = places.get(contact.pk)
    return found


def add_openings(contacts: Sequence[Contact]) -> None:
    """Sets until when these contacts wait for opening hours, with one query if any of them does."""
    closed = {one.source_id for one in contacts if one.waiting_reason == Contact.Waiting.CLOSED_HOURS}
    try:
        openings = dict(Source.objects.filter(pk__in=closed).values_list("pk", "opens_at")) if closed else {}
    except Error:
        log.warning("The next opening of %s sources is not known", len(closed), exc_info=True)
        openings = {}
    for contact in contacts:
        waits = contact.waiting_reason == Contact.Waiting.CLOSED_HOURS
        contact.opens_at = openings.get(contact.source_id) if waits else None
