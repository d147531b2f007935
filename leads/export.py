"""Exports all data stored about a person, for a data subject request."""

from dataclasses import dataclass

from django.db.models import Prefetch, Q

from leads import lead_lookup
from leads.models import Identity, Lead, Merge, PossibleDuplicate
from routing.models import Contact, ContactEvent


@dataclass(frozen=True, slots=True)
class Dossier:
    lead: Lead
    identities: list[Identity]
    contacts: list[Contact]  # oldest first, each with its history
    merged: list[Lead]  # into this one; each keeps its own name
    merges: list[Merge]
    possible_duplicates: list[PossibleDuplicate]


def export_lead(*, lead_id: int) -> Dossier:
    """Collects the lead's data; for the id of a merged lead, those of its survivor. Raises Unknown."""
    lead = lead_lookup.find_lead(lead_id)
    family = lead_lookup.merged_family(lead.pk)
    events = Prefetch("history", ContactEvent.objects.order_by("pk"))
    return Dossier(
        lead=lead,
        identities=list(lead.identities.order_by("rank", "pk")),
        contacts=list(lead.contacts.order_by("pk").prefetch_related(events)),
        merged=list(Lead.objects.filter(pk__in=family - {lead.pk}).order_by("pk")),
        merges=list(Merge.objects.filter(Q(survivor__in=family) | Q(merged__in=family)).order_by("pk")),
        possible_duplicates=list(PossibleDuplicate.objects.filter(Q(lead=lead) | Q(other=lead)).order_by("pk")),
    )
