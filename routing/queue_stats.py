"""The length of the queue and the position of each contact in it, read without locks."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import Error
from django.db.models import Count, F, Min, Window
from django.db.models.functions import RowNumber

from routing.models import Contact

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class QueueLength:
    """The queue of one source: its length, since when the oldest contact waits, and why."""

    source_id: int
    waiting: int
    oldest_created_at: datetime
    reason: str


def queue_lengths() -> list[QueueLength]:
    """The queue of each source that has waiting contacts."""
    grouped = Contact.objects.waiting().order_by("source").values_list("source").annotate(Count("pk"), Min("pk"))
    rows = list(grouped)
    oldest = Contact.objects.in_bulk([pk for _, _, pk in rows])
    return [
        QueueLength(
            source_id, waiting, oldest[pk].created_at, oldest[pk].waiting_reason or Contact.Waiting.NONE_AVAILABLE
        )
        for source_id, waiting, pk in rows
        if pk in oldest
    ]


def add_positions(contacts: Iterable[Contact]) -> list[Contact]:
    """Sets the queue positions of these contacts with one query, and returns them.

    The caller has already stored the contacts: if the database fails now, only the positions are missing.
    """
    found = list(contacts)
    sources = {contact.source_id for contact in found if contact.status == Contact.Status.WAITING}
    place_in_source = Window(RowNumber(), partition_by=F("source"), order_by="pk")
    queued = Contact.objects.waiting().filter(source__in=sources).annotate(place=place_in_source)
    try:
        places = dict(queued.filter(pk__in=[contact.pk for contact in found]).values_list("pk", "place"))
    except Error:
        log.warning("The places in the queue are not known", exc_info=True)
        places = {}
    for contact in found:
        contact.queue_position = places.get(contact.pk)
    return found
