"""Corrects what is known of a lead, when a person asks for it."""

from collections.abc import Mapping, Sequence

from django.conf import settings
from django.db import IntegrityError, transaction

from leads import identities, recognition, survivors
from leads.identities import Claim, Unreadable
from leads.models import Identity, Lead
from operators.refusals import Conflict, FieldError, Invalid
from routing import races
from routing.races import LostRace

READERS = {
    Identity.Kind.PHONE: lambda raw: identities.phone_claim(raw, settings.PHONE_REGION),
    Identity.Kind.EMAIL: identities.email_claim,
}


class Taken(Conflict):
    """The identity is somebody else's; nothing has changed, but the two leads may be one person."""

    def __init__(self, lead_id: int, claim: Claim, owner: int) -> None:
        detail = f"{claim.value} belongs to lead {owner}; the pair is marked as a possible duplicate."
        super().__init__("identity_taken", detail, (FieldError(claim.kind, "identity_taken", detail),))
        self.lead_id, self.owner = lead_id, owner


def correct_lead(*, lead_id: int, changes: Mapping[str, str | None]) -> Lead:
    """Sets any of `phone`, `email` and `name` as the lead shows them; None or blank takes one away.

    The old phone or e-mail is forgotten: it was wrong, and its true owner must not be taken for this lead.
    The id of a merged lead stands for its survivor. Raises Unknown, Invalid, or Conflict: `identity_taken` when it is
    somebody else's (the pair is marked as a possible duplicate), `last_identity` when nothing would be left to
    recognise the lead by, `erased`.
    """
    claims = read_claims(changes)

    def work(attempt: int) -> Lead:
        lead = survivors.lock_survivor(lead_id)
        refuse_taken(lead.pk, [claim for claim in claims.values() if claim])
        for kind, claim in claims.items():
            show(lead, kind, claim)
        if claims and not lead.identities.exists():
            raise Conflict("last_identity", "A lead must keep a phone, an e-mail or an id in a channel.")
        if "name" in changes:
            lead.name = (changes["name"] or "").strip() or None
        lead.save(update_fields=["name", "updated_at"])
        return lead

    try:
        return races.run(work)
    except Taken as taken:
        with transaction.atomic():
            recognition.mark_duplicates([(taken.lead_id, taken.owner)])
        raise


def read_claims(changes: Mapping[str, str | None]) -> dict[Identity.Kind, Claim | None]:
    """The identities among the changes; None for one that is to go. Raises Invalid, naming every bad field."""
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


def refuse_taken(lead_id: int, claims: Sequence[Claim]) -> None:
    owners = recognition.owners(claims)
    for claim in claims:
        owner = owners.get(claim.key, lead_id)
        if owner != lead_id:
            raise Taken(lead_id, claim, owner)


def show(lead: Lead, kind: Identity.Kind, claim: Claim | None) -> None:
    """Makes `claim` the identity by which the lead shows this kind, in place of the one that stands."""
    shown = lead.identities.filter(kind=kind).order_by("rank", "pk").first()
    if claim is None:
        if shown:
            shown.delete()
        return
    if shown is None:
        recognition.add([(lead.pk, claim)])
        return
    lead.identities.filter(kind=kind, value=claim.value).exclude(pk=shown.pk).delete()
    shown.value, shown.raw = claim.value, claim.raw
    try:
        shown.save(update_fields=["value", "raw"])
    except IntegrityError as error:
        raise LostRace from error
