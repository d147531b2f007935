"""Exports all data stored about a person, for a data subject request."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Prefetch, Q

from core.db.long_texts import read_in_slices
from leads import lead_lookup
from leads.models import FormerName, Identity, Lead, Merge, PossibleDuplicate
from routing.models import Contact, ContactEvent


@dataclass(frozen=True, slots=True)
class Dossier:
    lead: Lead
    identities: list[Identity]
    former_names: list[FormerName]  # also of leads merged into this one
    contact_slices: Iterator[list[Contact]]  # oldest first, each contact with its history and notes; to be read once
    merged: list[Lead]  # into this one; each keeps its own name
    merges: list[Merge]
    possible_duplicates: list[PossibleDuplicate]


def export_lead(*, lead_id: int) -> Dossier:
    """Collects the lead's data; for the id of a merged lead, those of its survivor. Raises Unknown."""
    lead = lead_lookup.find_lead(lead_id)
    family = lead_lookup.merged_family(lead.pk)
    events = ContactEvent.objects.select_related("from_operator", "to_operator").defer("evidence")
    history = Prefetch("history", events.order_by("pk"))
    contacts = lead.contacts.select_related("operator").prefetch_related(history, "notes")
    return Dossier(
        lead=lead,
        identities=list(lead.identities.order_by("rank", "pk")),
        former_names=list(FormerName.objects.filter(lead__in=family).order_by("pk")),
        contact_slices=read_in_slices(contacts, "message"),
        merged=list(Lead.objects.filter(pk__in=family - {lead.pk}).order_by("pk")),
        merges=list(Merge.objects.filter(Q(survivor__in=family) | Q(merged__in=family)).order_by("pk")),
        possible_duplicates=list(PossibleDuplicate.objects.filter(Q(lead=lead) | Q(other=lead)).order_by("pk")),
    )
