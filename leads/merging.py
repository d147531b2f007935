"""Merges two leads that are one person, and undoes a merge that was a mistake.

Merging moves identities and contacts, and keeps a journal of what it has moved. Undoing it moves back what is still
there, which restores the state before the merge.
"""

from datetime import datetime

from django.db.models import F, Max, Min, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import retry
from core.errors import Conflict, Unknown
from core.retry import LostRace
from leads import lead_lookup, lead_matching, lead_names
from leads.lead_events import MERGED, UNMERGED, record_lead_event
from leads.models import Identity, Lead, Merge, PossibleDuplicate
from routing import history
from routing.models import Contact, ContactQuerySet


def merge_leads(*, lead_id: int, other_id: int, by: str = history.SYSTEM) -> Lead:
    """Merges the other lead into this one, which is returned. From now on the other's id stands for this lead.

    The id of a merged lead stands for its survivor; merging twice changes nothing. The survivor keeps showing its own
    phone, e-mail and name, and takes the other's where it has none. Raises Unknown, or Conflict: `same_lead`, or
    `erased` when one of them has been erased.
    """
    if lead_id == other_id:
        raise Conflict("same_lead", _("Lead %(id)s cannot be merged with itself.") % {"id": lead_id})

    for attempt in retry.attempts():
        with attempt:
            survivor = lead_lookup.find_lead(lead_id)
            if survivor.pk == lead_lookup.find_lead(other_id).pk:
                return survivor
            survivors = lead_lookup.lock_survivors([lead_id, other_id])
            locked = lead_lookup.lock_rows_with_partners(survivors.values())
            survivor, merged = locked[survivors[lead_id]], locked[survivors[other_id]]
            if survivor.merged_into_id or merged.merged_into_id or survivor.pk == merged.pk:
                raise LostRace
            for lead in (survivor, merged):
                lead_lookup.raise_if_erased(lead)
            move_to_survivor(survivor, merged, by)
            record_lead_event(MERGED, by=by, lead_id=survivor.pk, merged_lead_id=merged.pk)
    return survivor


def unmerge_lead(*, lead_id: int, by: str = history.SYSTEM) -> Lead:
    """Undoes the merge of this lead into another, or else the last merge into it. Returns the lead after that.

    Raises Unknown, or Conflict: `not_merged`, `survivor_merged` when the survivor has itself been merged since, which
    must be undone first, or `erased`.
    """
    for attempt in retry.attempts():
        with attempt:
            merge = find_merge_to_undo(lead_id)
            lead_lookup.lock_survivors([merge.survivor_id])
            locked = lead_lookup.lock_rows_with_partners([merge.survivor_id, merge.merged_id])
            survivor, merged = locked[merge.survivor_id], locked[merge.merged_id]
            lead_lookup.raise_if_erased(survivor)
            if survivor.merged_into_id:
                sentence = _("Lead %(id)s is merged into lead %(survivor)s. Undo that merge first.")
                pair = {"id": survivor.pk, "survivor": survivor.merged_into_id}
                raise Conflict("survivor_merged", sentence % pair)
            if not Merge.objects.filter(pk=merge.pk, undone_at__isnull=True).exists():
                raise LostRace
            move_back_from_survivor(merge, survivor, merged, by)
            record_lead_event(UNMERGED, by=by, lead_id=survivor.pk, unmerged_lead_id=merged.pk)
    return locked[lead_id]


def dismiss_duplicate(*, pair_id: int) -> PossibleDuplicate:
    """Records a supervisor's decision that these are two people; the pair is not listed again. Raises Unknown."""
    for attempt in retry.attempts():
        with attempt:
            pair = find_pair(pair_id)
            lead_lookup.lock_rows([pair.lead_id, pair.other_id])
            pair = find_pair(pair_id)  # again, because it may have been deleted while we waited
            if pair.dismissed_at is None:
                pair.dismissed_at = timezone.now()
                pair.save(update_fields=["dismissed_at"])
    return pair


def find_pair(pair_id: int) -> PossibleDuplicate:
    pair = PossibleDuplicate.objects.filter(pk=pair_id).first()
    if pair is None:
        raise Unknown("possible duplicate", pair_id)
    return pair


def find_merge_to_undo(lead_id: int) -> Merge:
    if not Lead.objects.filter(pk=lead_id).exists():
        raise Unknown("lead", lead_id)
    standing = Merge.objects.filter(undone_at__isnull=True)
    merge = standing.filter(merged=lead_id).first() or standing.filter(survivor=lead_id).order_by("-pk").first()
    if merge is None:
        raise Conflict("not_merged", _("Lead %(id)s is not merged with another lead.") % {"id": lead_id})
    return merge


def move_to_survivor(survivor: Lead, merged: Lead, by: str) -> None:
    """Moves identities and contacts and writes the journal. The caller has locked both leads with their identities,
    and their partners.

    Contacts are read after the identities are locked: that lock waits for registrations that have matched the merged
    lead and not committed yet, so their contacts are found.
    """
    now = timezone.now()
    merge = Merge(survivor=survivor, merged=merged, at=now, by=by, survivor_updated_at=survivor.updated_at)
    merge.name_given = survivor.name is None and merged.name is not None
    merge.rank_added = rank_behind(survivor, merged)
    merge.identities = list(merged.identities.order_by("pk").values_list("pk", flat=True))
    merge.contacts = lock_contacts(Contact.objects.filter(lead=merged))
    merge.pairs = take_over_pairs(survivor, merged)
    merge.save(force_insert=True)
    merged.identities.update(lead=survivor, rank=F("rank") + merge.rank_added)
    Contact.objects.filter(pk__in=merge.contacts).update(lead=survivor)
    Lead.objects.filter(pk=merged.pk).update(merged_into=survivor)
    settle_pairs(survivor, merged)
    if merge.name_given:
        lead_names.copy_name(survivor, merged)
    save_survivor(survivor, updated_at=now)


def rank_behind(survivor: Lead, merged: Lead) -> int:
    """The number to add to the merged lead's ranks so that they come after the survivor's."""
    highest = survivor.identities.aggregate(rank=Max("rank"))["rank"] or 0
    lowest = merged.identities.aggregate(rank=Min("rank"))["rank"] or 0
    return max(highest, 0) + 1 - min(lowest, 0)


def move_back_from_survivor(merge: Merge, survivor: Lead, merged: Lead, by: str) -> None:
    """Moves back what was moved and is still there. The caller has locked the same as for merging."""
    merge.undone_at, merge.undone_by = timezone.now(), by
    merge.save(update_fields=["undone_at", "undone_by"])
    moved = Identity.objects.filter(pk__in=merge.identities, lead=survivor)
    moved.update(lead=merged, rank=F("rank") - merge.rank_added)
    contacts = lock_contacts(Contact.objects.filter(pk__in=merge.contacts, lead=survivor))
    Contact.objects.filter(pk__in=contacts).update(lead=merged)
    PossibleDuplicate.objects.filter(pk__in=merge.pairs).delete()
    Lead.objects.filter(pk=merged.pk).update(merged_into=None)
    merged.merged_into = None
    settle_pairs(survivor, merged)
    if merge.name_given and survivor.name == merged.name:
        lead_names.give_name(survivor, None, by=by)
    untouched = survivor.updated_at == merge.at
    save_survivor(survivor, updated_at=merge.survivor_updated_at if untouched else merge.undone_at)


def lock_contacts(contacts: ContactQuerySet) -> list[int]:
    """Locks these contacts in key order, as all code that changes several does. Returns their ids."""
    return list(contacts.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def save_survivor(survivor: Lead, *, updated_at: datetime) -> None:
    """Saves the name and `updated_at`, which undoing a merge sets back to the value before it."""
    survivor.updated_at = updated_at
    Lead.objects.filter(pk=survivor.pk).update(**lead_names.stored_name(survivor), updated_at=updated_at)


def settle_pairs(*leads: Lead) -> None:
    """Updates `is_merged` of these leads' pairs. The caller has locked both leads of each pair."""
    PossibleDuplicate.objects.of(lead.pk for lead in leads).settle()


def take_over_pairs(survivor: Lead, merged: Lead) -> list[int]:
    """Copies the merged lead's possible duplicates to the survivor. Returns the ids of the added pairs."""
    pairs = PossibleDuplicate.objects.of([merged.pk]).filter(
        dismissed_at__isnull=True, lead__erased_at__isnull=True, other__erased_at__isnull=True
    )
    others = {pair.other_id if pair.lead_id == merged.pk else pair.lead_id for pair in pairs} - {survivor.pk}
    mine = PossibleDuplicate.objects.filter(Q(lead=survivor, other__in=others) | Q(lead__in=others, other=survivor))
    before = set(mine.values_list("pk", flat=True))
    lead_matching.mark_duplicates((survivor.pk, other) for other in others)
    return sorted(set(mine.values_list("pk", flat=True)) - before)
