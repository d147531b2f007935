"""Edits a lead's phone, e-mail and name, for the API and the back-office."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from core import retry, text
from core.errors import Conflict, FieldError, Invalid, raise_if_overtaken
from leads import drafts, identities, lead_lookup, lead_matching, lead_names, phones, possible_duplicates
from leads.identities import Claim, Unreadable
from leads.identity_actions import delete_identities, identities_to_keep
from leads.models import Identity, Lead, Merge
from routing.history import SYSTEM
from routing.models import Source


class Taken(Conflict):
    """The identity belongs to another lead; nothing has changed, but the two leads may be one person."""

    def __init__(self, lead_id: int, claim: Claim, owner: int) -> None:
        detail = _("%(value)s belongs to lead %(id)s. The two leads are marked as possible duplicates.")
        detail %= {"value": claim.value, "id": owner}
        super().__init__("identity_taken", detail, (FieldError(claim.kind, "identity_taken", detail),))
        self.lead_id, self.owner = lead_id, owner


def edit_lead(
    *,
    lead_id: int,
    changes: Mapping[str, str | None],
    by: str = SYSTEM,
    seen: Mapping[str, str | None] | None = None,
) -> Lead:
    """Sets any of `phone`, `email` and `name` as the lead shows them; None or blank removes one.

    The old phone or e-mail is deleted: it was wrong, and its true owner must not be matched to this lead. The old name
    stays in the lead's history. `by` names the author.
    The id of a merged lead stands for its survivor. Raises Unknown, Invalid, or Conflict: `identity_taken` if another
    lead has it (the pair is marked as a possible duplicate), `last_identity` if no identity would be left to recognise
    the lead by, also after undoing a merge, `erased`, or `changed_meanwhile` if one of the values that the caller has
    `seen` is not the stored one.
    """
    claims = read_claims(lead_id, changes)
    try:
        lead = write_changes(lead_id, claims, changes, by, seen)
    except Taken as taken:
        possible_duplicates.mark_pair(taken.lead_id, taken.owner)
        raise
    new = [claim for claim in claims.values() if claim]
    possible_duplicates.mark_lookalikes([(lead.pk, phones.all_lookalikes(new))])
    return lead


def write_changes(
    lead_id: int,
    claims: Mapping[Identity.Kind, Claim | None],
    changes: Mapping[str, str | None],
    by: str,
    seen: Mapping[str, str | None] | None,
) -> Lead:
    for attempt in retry.attempts():
        with attempt:
            lead = lead_lookup.lock_survivor(lead_id)
            raise_if_overtaken(lead, seen)
            # A value equal to the shown one is not a change; a phone is shown without its extension.
            asked = {
                kind: claim for kind, claim in claims.items() if claim is None or claim.value != getattr(lead, kind)
            }
            raise_if_taken(lead.pk, [claim for claim in asked.values() if claim])
            brought = identities_to_keep(lead)[1:] if asked else []
            for kind in sorted(asked):  # the beginning of `storing_order`: one new identity of each kind
                replace_shown_identity(lead, kind, asked[kind], by)
            present = set(lead.identities.values_list("pk", flat=True))
            if asked and not (present.difference(*brought) and all(present & group for group in brought if group)):
                raise Conflict("last_identity", _("A lead must keep a phone, an e-mail or an id in a channel."))
            if "name" in changes:
                replace_name(lead, text.trim(changes["name"] or "") or None, by)
            lead.save(update_fields=[*lead_names.FIELDS, "updated_at"])
    return lead


def replace_name(lead: Lead, name: str | None, by: str) -> None:
    """Sets the name on the instance and records the former one."""
    if name == lead.name:
        return
    if lead.name:
        lead_names.record_former_names([lead_names.former_name(lead)], by=by)
    lead_names.give_name(lead, name, by=by)


def read_claims(lead_id: int, changes: Mapping[str, str | None]) -> dict[Identity.Kind, Claim | None]:
    """The identities among the changes; None for one to remove. Raises Unknown or Invalid, naming every bad field."""
    readers = {
        Identity.Kind.PHONE: lambda raw: read_phone(lead_id, raw),
        Identity.Kind.EMAIL: identities.read_email,
    }
    claims: dict[Identity.Kind, Claim | None] = {}
    errors = []
    for kind, read in readers.items():
        if kind in changes:
            raw = text.trim(changes[kind] or "")
            try:
                claims[kind] = read(raw) if raw else None
            except Unreadable as error:
                errors.append(identities.field_error(kind, error))
    if errors:
        raise Invalid(*errors)
    return claims


def read_phone(lead_id: int, raw: str) -> Claim:
    """Reads a phone that somebody types for this lead, as the source reads it through which the lead wrote last.
    Raises Unknown, Unreadable."""
    return drafts.read_phone(raw, lambda: find_last_source(lead_id))


def find_last_source(lead_id: int) -> Source:
    """A lead may come through several sources; the last one is where it is now. Raises Unknown."""
    contacts = lead_lookup.find_lead(lead_id).contacts.select_related("source")
    last = contacts.order_by("-pk").first()
    return last.source if last else Source()


def raise_if_taken(lead_id: int, claims: Sequence[Claim]) -> None:
    owners = lead_matching.find_owners(claims)
    for claim in claims:
        owner = owners.get(claim.key, lead_id)
        if owner != lead_id:
            raise Taken(lead_id, claim, owner)


def replace_shown_identity(lead: Lead, kind: Identity.Kind, claim: Claim | None, by: str) -> None:
    """Replaces the identity of this kind that the lead shows with `claim`; removes it if `claim` is None.

    Identities that came with a merge are not deleted, so that undoing the merge moves them back.
    """
    known = lead.identities.filter(kind=kind).order_by("rank", "pk")
    shown, own = known.first(), known.exclude(pk__in=brought_by_merges(lead)).first()
    again = known.filter(value=claim.value).first() if claim else None
    foremost = shown.rank - 1 if shown else 0
    if claim is None:
        if shown:
            delete_identities([shown.pk])
    elif again:
        Identity.objects.filter(pk=again.pk).update(rank=foremost)
        if own and own.pk != again.pk and again.pk not in brought_by_merges(lead):
            delete_identities([own.pk])
    else:
        if own:
            delete_identities([own.pk])
        add_identity(lead, claim, by, rank=min(foremost, 0))


def add_identity(lead: Lead, claim: Claim, by: str, *, rank: int) -> None:
    """Adds a claim that no other lead has, or a copy of one that is shared."""
    first = lead_matching.identities_of_claims([claim]).filter(is_shared=True).select_for_update(no_key=True).first()
    Identity.objects.create(
        lead=lead, rank=rank, added_by=by, is_shared=first is not None, copy_of=first, **claim.fields
    )


def brought_by_merges(lead: Lead) -> set[int]:
    """Ids of the identities that came with merges and would move back if these are undone."""
    journals = Merge.objects.filter(survivor=lead, undone_at__isnull=True).values_list("identities", flat=True)
    return {identity for journal in journals for identity in journal}
