"""Right to erasure: deletes a lead's personal data permanently, keeps contacts and decisions for statistics."""

import logging
from collections.abc import Callable, Collection

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from core import retry
from core.retry import LostRace
from leads import lead_lookup, lead_names
from leads.identity_actions import delete_identities
from leads.lead_events import ERASED, record_lead_event
from leads.models import FormerName, Identity, Lead, PossibleDuplicate
from operators.load import lock_operators
from routing import queue
from routing.history import SYSTEM
from routing.lifecycle import close_contact
from routing.models import Contact, ContactEvent, ContactNote, ContactQuerySet

log = logging.getLogger(__name__)


def erase_lead(*, lead_id: int, by: str = SYSTEM, only_if: Callable[[Lead], bool] = lambda lead: True) -> Lead:
    """Deletes identities, name, messages, notes and idempotency keys of this lead and of all leads merged with it.

    Open contacts are resolved, so that they keep no places: `resolved_with_erasure` of the lead is their number.
    Contacts, decisions and history stay, without texts. If the person writes again, a new lead is created. Cannot be
    undone; erasing twice changes nothing. `only_if` is asked when nobody else can change the lead or add a contact to
    it; if it says no, nothing is erased. Raises Unknown.
    """
    for attempt in retry.attempts():
        with attempt:
            freed: list[int | None] = []
            [survivor_id] = lead_lookup.lock_survivors([lead_id]).values()
            family = lead_lookup.merged_family(survivor_id)
            # Before the leads, as a registration does.
            holders = set(lock_operators(open_contacts(family).values_list("operator_id", flat=True)))
            survivor = lead_lookup.lock_rows_with_partners(family)[survivor_id]
            if lead_lookup.merged_family(survivor_id) != family or survivor.merged_into_id:
                raise LostRace
            if survivor.erased_at is None and only_if(survivor):
                freed = resolve_open_contacts(family, holders, by)
                erase_data(family)
                record_lead_event(ERASED, by=by, lead_id=survivor.pk)
                survivor.refresh_from_db()
                log.info("Lead %s was erased", survivor.pk)
    for operator_id in sorted({pk for pk in freed if pk}):
        queue.serve_operator(operator_id)
    survivor.resolved_with_erasure = len(freed)
    return survivor


def open_contacts(lead_ids: Collection[int]) -> ContactQuerySet:
    """The contacts of these leads that are not resolved, in the order in which they are locked."""
    return Contact.objects.filter(lead__in=lead_ids, resolved_at__isnull=True).order_by("pk")


def resolve_open_contacts(lead_ids: Collection[int], holders: Collection[int], by: str) -> list[int | None]:
    """Resolves them inside the caller's transaction, which has locked the leads and these operators.

    Returns the operator of each, None for one that waited. Raises LostRace if another operator has one by now.
    """
    contacts = list(open_contacts(lead_ids).defer("message"))
    if not {contact.operator_id for contact in contacts} <= {*holders, None}:
        raise LostRace
    return [close_contact(contact, by) for contact in contacts]


def erase_data(lead_ids: set[int]) -> None:
    """Deletes the personal data. The caller has locked these leads with their identities, and their partners."""
    now = timezone.now()
    delete_identities(list(Identity.objects.filter(lead__in=lead_ids).values_list("pk", flat=True)))
    FormerName.objects.filter(lead__in=lead_ids).delete()
    contacts = Contact.objects.filter(lead__in=lead_ids).order_by("pk").select_for_update(no_key=True)
    contact_ids = list(contacts.values_list("pk", flat=True))
    Contact.objects.filter(pk__in=contact_ids).update(
        message=None, warnings=None, idempotency_key=None, idempotency_fingerprint=None, updated_at=now
    )
    erase_notes(contact_ids)
    pairs = PossibleDuplicate.objects.of(lead_ids)
    erase_names_in_log(PossibleDuplicate, set(pairs.values_list("pk", flat=True)))
    pairs.delete()
    erase_names_in_log(Lead, lead_ids)
    Lead.objects.filter(pk__in=lead_ids).update(**lead_names.NO_NAME, erased_at=now, updated_at=now)


def erase_texts(contact_ids: Collection[int]) -> None:
    """Deletes the messages of contacts, which the caller has locked, the texts that could not be read, and what
    operators wrote about them."""
    Contact.objects.filter(pk__in=contact_ids).update(message=None, warnings=None, updated_at=timezone.now())
    erase_notes(contact_ids)


def erase_notes(contact_ids: Collection[int]) -> None:
    """Deletes what operators and supervisors wrote about contacts, which the caller has locked."""
    ContactEvent.objects.filter(contact__in=contact_ids, note__isnull=False).update(note=None)
    ContactNote.objects.filter(contact__in=contact_ids).delete()


def erase_names_in_log(model: type[Lead | PossibleDuplicate], ids: set[int]) -> None:
    """Deletes the names that the back-office's log has kept of these objects."""
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_id__in=map(str, ids)
    )
    entries.update(object_repr="—")
