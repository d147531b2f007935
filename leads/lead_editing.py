"""Edits a lead's phone, e-mail and name, for the API and the back-office."""

from collections.abc import Mapping, Sequence

from django.conf import settings
from django.utils.translation import gettext as _

from core import retry
from core.errors import Conflict, FieldError, Invalid
from leads import identities, lead_lookup, lead_matching
from leads.identities import Claim, Unreadable
from leads.models import Identity, Lead, Merge

READERS = {
    Identity.Kind.PHONE: lambda raw: identities.read_phone(raw, settings.PHONE_REGION),
    Identity.Kind.EMAIL: identities.read_email,
}


class Taken(Conflict):
    """The identity belongs to another lead; nothing has changed, but the two leads may be one person."""

    def __init__(self, lead_id: int, claim: Claim, owner: int) -> None:
        detail = _("%(value)s belongs to lead %(id)s. The two leads are marked as possible duplicates.")
        detail %= {"value": claim.value, "id": owner}
        super().__init__("identity_taken", detail, (FieldError(claim.kind, "identity_taken", detail),))
        self.lead_id, self.owner = lead_id, owner


def edit_lead(*, lead_id: int, changes: Mapping[str, str | None]) -> Lead:
    """Sets any of `phone`, `email` and `name` as the lead shows them; None or blank removes one.

    The old phone or e-mail is deleted: it was wrong, and its true owner must not be matched to this lead.
    The id of a merged lead stands for its survivor. Raises Unknown, Invalid, or Conflict: `identity_taken` if another
    lead has it (the pair is marked as a possible duplicate), `last_identity` if no identity would be left to recognise
    the lead by, `erased`.
    """
    claims = read_claims(changes)
    try:
        return write_changes(lead_id, claims, changes)
    except Taken as taken:
        mark_pair(taken.lead_id, taken.owner)
        raise


def write_changes(
    lead_id: int, claims: Mapping[Identity.Kind, Claim | None], changes: Mapping[str, str | None]
) -> Lead:
    for attempt in retry.attempts():
        with attempt:
            lead = lead_lookup.lock_survivor(lead_id)
            # A value equal to the shown one is not a change; a phone is shown without its extension.
            asked = {
                kind: claim for kind, claim in claims.items() if claim is None or claim.value != getattr(lead, kind)
            }
            raise_if_taken(lead.pk, [claim for claim in asked.values() if claim])
            for kind, claim in asked.items():
                replace_shown_identity(lead, kind, claim)
            if asked and not lead.identities.exclude(pk__in=brought_by_merges(lead)).exists():
                raise Conflict("last_identity", _("A lead must keep a phone, an e-mail or an id in a channel."))
            if "name" in changes:
                lead.name = (changes["name"] or "").strip() or None
            lead.save(update_fields=["name", "updated_at"])
    return lead


def mark_pair(lead_id: int, other_id: int) -> None:
    """Marks these two leads as a possible duplicate, unless one of them has been erased in between."""
    for attempt in retry.attempts():
        with attempt:
            if not any(lead.erased_at for lead in lead_lookup.lock_leads([lead_id, other_id]).values()):
                lead_matching.mark_duplicates([(lead_id, other_id)])


def read_claims(changes: Mapping[str, str | None]) -> dict[Identity.Kind, Claim | None]:
    """The identities among the changes; None for one to remove. Raises Invalid, naming every bad field."""
    claims: dict[Identity.Kind, Claim | None] = {}
    errors = []
    for kind, read in READERS.items():
        if kind in changes:
            raw = (changes[kind] or "").strip()
            try:
                claims[kind] = read(raw) if raw else None
            except Unreadable as error:
                errors.append(identities.field_error(kind, error))
    if errors:
        raise Invalid(*errors)
    return claims


def raise_if_taken(lead_id: int, claims: Sequence[Claim]) -> None:
    owners = lead_matching.find_owners(claims)
    for claim in claims:
        owner = owners.get(claim.key, lead_id)
        if owner != lead_id:
            raise Taken(lead_id, claim, owner)


def replace_shown_identity(lead: Lead, kind: Identity.Kind, claim: Claim | None) -> None:
    """Replaces the identity of this kind that the lead shows with `claim`; removes it if `claim` is None.

    Identities that came with a merge are not overwritten, so that undoing the merge moves them back.
    """
    known = lead.identities.filter(kind=kind).order_by("rank", "pk")
    shown, own = known.first(), known.exclude(pk__in=brought_by_merges(lead)).first()
    again = known.filter(value=claim.value).first() if claim else None
    foremost = shown.rank - 1 if shown else 0
    if claim is None:
        if shown:
            shown.delete()
    elif again:
        Identity.objects.filter(pk=again.pk).update(rank=foremost)
        if own and own.pk != again.pk and again.pk not in brought_by_merges(lead):
            own.delete()
    elif own is None:
        Identity.objects.create(lead=lead, **claim.fields)
        known.filter(value=claim.value).update(rank=min(foremost, 0))
    else:
        own.value, own.raw, own.rank = claim.value, claim.raw, min(foremost, own.rank)
        own.save(update_fields=["value", "raw", "rank"])


def brought_by_merges(lead: Lead) -> set[int]:
    """Ids of the identities that came with merges and would move back if these are undone."""
    journals = Merge.objects.filter(survivor=lead, undone_at__isnull=True).values_list("identities", flat=True)
    return {identity for journal in journals for identity in journal}
