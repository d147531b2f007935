"""Retention: erases messages and people that are older than the settings allow. Run by `prune`, off by default.

Each transaction erases some messages or one person, so the work can be interrupted at any moment; the next run goes on.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from core import retry
from leads import erasure
from leads.models import Lead, LeadQuerySet
from routing.models import Contact, ContactEvent, ContactNote, ContactQuerySet

TOGETHER = 500  # messages erased in one transaction; people read in one statement

GoOn = Callable[[], bool]


def contacts_with_old_texts(*, resolved_before: datetime) -> ContactQuerySet:
    """Contacts resolved before that, which still have texts: a message, what could not be read, notes."""
    explained = ContactEvent.objects.filter(note__isnull=False).values("contact")
    noted = ContactNote.objects.values("contact")
    texts = Q(message__isnull=False) | Q(warnings__isnull=False) | Q(pk__in=explained) | Q(pk__in=noted)
    return Contact.objects.filter(texts, resolved_at__lt=resolved_before)


def people_without_contact(*, since: datetime) -> LeadQuerySet:
    """Leads known before that, who have no contact that is open, or was registered or resolved since."""
    in_touch = Q(resolved_at__isnull=True) | Q(resolved_at__gte=since) | Q(created_at__gte=since)
    contacts = Contact.objects.filter(in_touch, lead=OuterRef("pk"))
    return Lead.objects.current().filter(~Exists(contacts), created_at__lt=since)


def erase_old_messages(*, resolved_before: datetime, go_on: GoOn = lambda: True) -> int:
    """Erases texts of contacts resolved before that, while `go_on`. Returns of how many contacts."""
    erased = last = 0
    while go_on():
        for attempt in retry.attempts():
            with attempt:
                contacts = contacts_with_old_texts(resolved_before=resolved_before).filter(pk__gt=last).order_by("pk")
                locked = contacts.select_for_update(no_key=True).values_list("pk", flat=True)[:TOGETHER]
                pks = list(locked)
                erasure.erase_texts(pks)
        if not pks:
            break
        erased, last = erased + len(pks), pks[-1]
    return erased


def erase_old_people(*, since: datetime, go_on: GoOn = lambda: True) -> int:
    """Erases everybody without contact since then, one by one, while `go_on`. Returns how many."""

    def is_still_old(lead: Lead) -> bool:
        return people_without_contact(since=since).filter(pk=lead.pk).exists()

    erased = 0
    for lead_id in old_people(since):
        if not go_on():
            break
        erased += erasure.erase_lead(lead_id=lead_id, only_if=is_still_old).erased_at is not None
    return erased


def old_people(since: datetime) -> Iterator[int]:
    last = 0
    while pks := list(
        people_without_contact(since=since).filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:TOGETHER]
    ):
        yield from pks
        last = pks[-1]
