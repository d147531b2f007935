"""Detaches an identity from a lead, and marks one as shared: it belongs to many people and recognises nobody.

A contact with only shared identities belongs to a new lead. A shared identity stays unique in the database: the lead
that had it first keeps the unique row, and every other lead that gives it gets a copy of that row.
"""

import logging

from django.utils.translation import gettext as _

from core import retry
from core.errors import Conflict, Unknown
from core.retry import LostRace
from leads import lead_lookup
from leads.models import Identity, Lead, Merge

log = logging.getLogger(__name__)


def detach_identity(*, lead_id: int, identity_id: int) -> None:
    """Deletes an identity that is not this lead's: from now on it recognises somebody else, or nobody.

    Contacts stay with the lead. Raises Unknown, or Conflict: `last_identity` if none would be left to reach the lead
    by, also after undoing a merge, or `erased`.
    """
    for attempt in retry.attempts():
        with attempt:
            lead = lead_lookup.lock_survivor(lead_id)
            identity = find_identity(lead, identity_id)
            if any(group == {identity.pk} for group in identities_to_keep(lead)):
                raise Conflict("last_identity", _("A lead must keep a phone, an e-mail or an id in a channel."))
            delete_identities([identity.pk])
            lead.save(update_fields=["updated_at"])
            log.info("Identity %s was detached from lead %s", identity_id, lead.pk)


def share_identity(*, lead_id: int, identity_id: int) -> Identity:
    """Marks the identity as shared. Repeating it changes nothing. Raises Unknown, or Conflict `erased`."""
    for attempt in retry.attempts():
        with attempt:
            identity = find_identity(lead_lookup.lock_survivor(lead_id), identity_id)
            if not identity.is_shared:
                identity.is_shared = True
                identity.save(update_fields=["is_shared"])
    return identity


def unshare_identity(*, lead_id: int, identity_id: int) -> Identity:
    """Makes the identity recognise this lead, and only this one. Repeating it changes nothing.

    Raises Unknown, or Conflict: `shared_by_others` while other leads have it too, which must be merged into this one or
    lose it first, or `erased`.
    """
    for attempt in retry.attempts():
        with attempt:
            lead = lead_lookup.lock_survivor(lead_id)
            identity = find_identity(lead, identity_id)
            first_id = identity.copy_of_id or identity.pk
            lock_identity(first_id)  # before the copies are read: registrations add them under this lock
            others = Identity.objects.filter(copy_of=first_id) | Identity.objects.filter(pk=first_id)
            others = others.exclude(pk=identity.pk)
            if others.exclude(lead=lead).exists():
                detail = _("Other leads have %(value)s too. Merge them into this lead or detach it there first.")
                raise Conflict("shared_by_others", detail % {"value": identity.value})
            others.delete()
            identity.is_shared, identity.copy_of = False, None
            identity.save(update_fields=["is_shared", "copy_of"])
    return identity


def find_identity(lead: Lead, identity_id: int) -> Identity:
    identity = lead.identities.filter(pk=identity_id).first()
    if identity is None:
        raise Unknown("identity of this lead", identity_id)
    return identity


def lock_identity(identity_id: int) -> None:
    """Raises LostRace if the identity was deleted in between."""
    if not Identity.objects.select_for_update(no_key=True).filter(pk=identity_id).exists():
        raise LostRace


def identities_to_keep(lead: Lead) -> list[set[int]]:
    """The ids of the lead's own identities, and of those that each lead has brought that was merged into it, directly
    or through others. Each set must keep one, so that nobody is left without identities when a merge is undone."""
    present = set(lead.identities.values_list("pk", flat=True))
    merges = Merge.objects.filter(survivor__in=lead_lookup.merged_family(lead.pk), undone_at__isnull=True)
    kept = {lead.pk: present}
    for merge in (journal := list(merges.order_by("pk"))):
        kept[merge.merged_id] = present.intersection(merge.identities)
    for merge in journal:
        kept[merge.survivor_id] = kept[merge.survivor_id].difference(merge.identities)
    return list(kept.values())


def delete_identities(identity_ids: list[int]) -> None:
    """Deletes these identities, which the caller has locked. A shared one stays shared while other leads have copies:
    the oldest copy takes its place, in which the unique index has it."""
    copies = Identity.objects.filter(copy_of__in=identity_ids).exclude(pk__in=identity_ids).order_by("pk")
    heirs: dict[int, int] = {}  # id of the deleted identity to id of the copy that takes its place
    for pk, first_id in copies.select_for_update(no_key=True).values_list("pk", "copy_of_id"):
        heirs.setdefault(first_id, pk)
    # Foreign keys are checked at the commit: copies may refer to the deleted row until then.
    Identity.objects.filter(pk__in=identity_ids).delete()
    for first_id, heir in heirs.items():
        Identity.objects.filter(pk=heir).update(copy_of=None)
        Identity.objects.filter(copy_of=first_id).update(copy_of=heir)
