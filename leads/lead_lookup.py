"""Finds a lead by its id, following merges; locks leads and their identities."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from core.errors import Conflict, Unknown
from core.retry import LostRace
from leads.models import Identity, Lead, Merge


def find_lead(lead_id: int) -> Lead:
    """The lead, or the survivor of the merges that it went into. Raises Unknown."""
    lead = Lead.objects.filter(pk=lead_id).first()
    if lead is None:
        raise Unknown("lead", lead_id)
    while lead.merged_into_id:
        lead = Lead.objects.get(pk=lead.merged_into_id)
    return lead


def merged_family(lead_id: int) -> set[int]:
    """Ids of the lead and of all leads merged into it, directly or through others."""
    found, newest = {lead_id}, {lead_id}
    while newest:
        merges = Merge.objects.filter(survivor__in=newest, undone_at__isnull=True)
        newest = set(merges.values_list("merged_id", flat=True)) - found
        found |= newest
    return found


def lock_leads(lead_ids: Iterable[int]) -> dict[int, Lead]:
    """Locks these leads and all their identities until the transaction ends; returns the reloaded leads by id.

    Locks identities first, in key order, as a registration does: a registration for these leads runs completely before
    or completely after. Raises LostRace when a lead has just got another identity.
    """
    ids = set(lead_ids)
    identities = Identity.objects.filter(lead__in=ids).order_by("pk")
    locked = list(identities.select_for_update(no_key=True).values_list("pk", flat=True))
    leads = {lead.pk: lead for lead in Lead.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)}
    if list(identities.values_list("pk", flat=True)) != locked:
        raise LostRace
    return leads


def lock_survivor(lead_id: int) -> Lead:
    """Finds the lead with this id, or its survivor, and locks it for a change. Raises Unknown, LostRace, or Conflict
    `erased` when the lead has been erased."""
    seen = find_lead(lead_id)
    lead = lock_leads([seen.pk])[seen.pk]
    if lead.merged_into_id:
        raise LostRace
    raise_if_erased(lead)
    return lead


def raise_if_erased(lead: Lead) -> None:
    if lead.erased_at:
        raise Conflict("erased", _("Lead %(id)s was erased; it cannot be changed.") % {"id": lead.pk})
