"""Right to erasure: deletes a lead's personal data permanently, keeps contacts and decisions for statistics."""

import logging

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils import timezone

from core import retry
from core.retry import LostRace
from leads import lead_lookup
from leads.models import Identity, Lead, PossibleDuplicate
from routing.models import Contact

log = logging.getLogger(__name__)


def erase_lead(*, lead_id: int) -> Lead:
    """Deletes identities, name, messages and idempotency keys of this lead and of all leads merged with it.

    Contacts, decisions and history stay, without texts. If the person writes again, a new lead is created. Cannot be
    undone; erasing twice changes nothing. Raises Unknown.
    """
    for attempt in retry.attempts():
        with attempt:
            survivor = lead_lookup.find_lead(lead_id)
            family = lead_lookup.merged_family(survivor.pk)
            leads = lead_lookup.lock_leads(family)
            if lead_lookup.merged_family(survivor.pk) != family or leads[survivor.pk].merged_into_id:
                raise LostRace
            survivor = leads[survivor.pk]
            if survivor.erased_at is None:
                erase_data(family)
                survivor.refresh_from_db()
                log.info("Lead %s was erased", survivor.pk)
    return survivor


def erase_data(lead_ids: set[int]) -> None:
    """Deletes the personal data. The caller has locked these leads and their identities."""
    now = timezone.now()
    Identity.objects.filter(lead__in=lead_ids).delete()
    contacts = Contact.objects.filter(lead__in=lead_ids).order_by("pk").select_for_update(no_key=True)
    Contact.objects.filter(pk__in=list(contacts.values_list("pk", flat=True))).update(
        message=None, idempotency_key=None, idempotency_fingerprint=None, updated_at=now
    )
    pairs = PossibleDuplicate.objects.filter(Q(lead__in=lead_ids) | Q(other__in=lead_ids))
    erase_names_in_log(PossibleDuplicate, set(pairs.values_list("pk", flat=True)))
    pairs.delete()
    erase_names_in_log(Lead, lead_ids)
    Lead.objects.filter(pk__in=lead_ids).update(name=None, erased_at=now, updated_at=now)


def erase_names_in_log(model: type[Lead | PossibleDuplicate], ids: set[int]) -> None:
    """Deletes the names that the back-office's log has kept of these objects."""
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(model), object_id__in=map(str, ids)
    )
    entries.update(object_repr="—")
