"""Finds a lead by its id, following merges; locks leads and their identities."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from core.errors import Conflict, Unknown
from core.retry import LostRace
from leads.models import Identity, Lead, Merge, PossibleDuplicate


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


def lock_survivors(lead_ids: Iterable[int]) -> dict[int, int]:
    """Locks all identities of these leads, or of the survivors of their merges; returns the survivor of each id.

    Until the transaction ends, a registration for these leads waits, and nobody merges or erases them: everybody who
    does has locked all identities of the lead first, in key order.

    The identities are locked by their own ids, which stay the same on whatever lead they are. Somebody who asked for
    the leads' rows while a long chain of merges runs would find the survivor merged again each time. Raises Unknown,
    and LostRace when an identity was added that somebody else is using.
    """
    asked = set(lead_ids)
    before = identity_ids(find_lead(lead_id).pk for lead_id in asked)
    list(Identity.objects.filter(pk__in=before).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    survivors = {lead_id: find_lead(lead_id).pk for lead_id in asked}
    present = identity_ids(survivors.values())
    if present != before:
        # Not in key order any more, so without waiting for anybody.
        rest = Identity.objects.filter(pk__in=present).order_by("pk")
        held = rest.select_for_update(no_key=True, skip_locked=True).values_list("pk", flat=True)
        if list(held) != present or identity_ids(survivors.values()) != present:
            raise LostRace
    return survivors


def identity_ids(lead_ids: Iterable[int]) -> list[int]:
    return list(Identity.objects.filter(lead__in=set(lead_ids)).order_by("pk").values_list("pk", flat=True))


def lock_rows(lead_ids: Iterable[int]) -> dict[int, Lead]:
    """Locks the rows of these leads in key order, not their identities; returns the reloaded leads by id.

    Enough to write a pair: everybody who merges or erases a lead has locked its row as well.
    """
    rows = Lead.objects.filter(pk__in=set(lead_ids)).order_by("pk").select_for_update(no_key=True)
    return {lead.pk: lead for lead in rows}


def lock_rows_with_partners(lead_ids: Iterable[int]) -> dict[int, Lead]:
    """Locks like `lock_rows`, with the other lead of each of their possible duplicates; returns all of them by id.

    From then on nobody else writes a pair of these leads, because all writers of a pair lock both of its leads.
    Raises LostRace when one of them has just got another pair.
    """
    ids = set(lead_ids)
    leads = lock_rows(ids | partner_ids(ids))
    if not partner_ids(ids) <= leads.keys():
        raise LostRace
    return leads


def partner_ids(lead_ids: set[int]) -> set[int]:
    """The leads that are marked as possible duplicates of these, decided or not."""
    pairs = PossibleDuplicate.objects.of(lead_ids).values_list("lead", "other")
    return {lead_id for pair in pairs for lead_id in pair} - lead_ids


def lock_survivor(lead_id: int) -> Lead:
    """Finds the lead with this id, or its survivor, and locks it for a change. Raises Unknown, LostRace, or Conflict
    `erased` when the lead has been erased."""
    [survivor] = lock_survivors([lead_id]).values()
    lead = lock_rows([survivor])[survivor]
    if lead.merged_into_id:
        raise LostRace
    raise_if_erased(lead)
    return lead


def raise_if_erased(lead: Lead) -> None:
    if lead.erased_at:
        raise Conflict("erased", _("Lead %(id)s was erased; it cannot be changed.") % {"id": lead.pk})
