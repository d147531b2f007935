"""Whose contact is it? Finds the lead behind what a client says of itself, or makes one."""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone

from leads.identities import Claim
from leads.models import Identity, Lead, PossibleDuplicate
from routing.races import LostRace

STRENGTH = {kind: place for place, kind in enumerate(Identity.Kind)}


def recognise(*, claims: Sequence[Claim], name: str | None) -> int:
    """The id of the lead that these claims belong to; made when nobody is known by any of them.

    The strongest known claim decides. Claims that nobody has yet are added to that lead; claims of somebody else stay
    theirs, and the pair is marked as a possible duplicate. `name` replaces the lead's when it is given. Runs inside
    the caller's transaction; raises LostRace when another request has just added one of the claims.
    """
    known = owners(claims)
    if not known:
        lead_id = Lead.objects.create(name=name).pk
    else:
        lead_id = known[min(known, key=lambda claim: STRENGTH[claim.kind])]
        mark_duplicates(lead_id, known.values())
        if name:
            Lead.objects.filter(pk=lead_id).exclude(name=name).update(name=name, updated_at=timezone.now())
    add(lead_id, [claim for claim in claims if claim not in known])
    return lead_id


def owners(claims: Iterable[Claim]) -> dict[Claim, int]:
    """Each claim that somebody has, with that lead's id."""
    by_key = {(claim.kind, claim.value, claim.source_id): claim for claim in claims}
    if not by_key:
        return {}
    same = (
        Q(kind=kind, value=value, source=source) if source else Q(kind=kind, value=value, source__isnull=True)
        for kind, value, source in by_key
    )
    rows = Identity.objects.filter(reduce(or_, same)).values_list("kind", "value", "source_id", "lead_id")
    return {by_key[Identity.Kind(kind), value, source_id]: lead_id for kind, value, source_id, lead_id in rows}


def add(lead_id: int, claims: Iterable[Claim]) -> None:
    """Gives the lead more identities. In one order for everybody: crossed requests wait, and do not deadlock."""
    rows = [
        Identity(lead_id=lead_id, kind=claim.kind, value=claim.value, raw=claim.raw, source_id=claim.source_id)
        for claim in sorted(claims, key=lambda claim: (claim.kind, claim.value))
    ]
    try:
        Identity.objects.bulk_create(rows)
    except IntegrityError as error:
        raise LostRace from error


def mark_duplicates(lead_id: int, others: Iterable[int]) -> None:
    pairs = {(min(lead_id, other), max(lead_id, other)) for other in others if other != lead_id}
    if pairs:
        PossibleDuplicate.objects.bulk_create(
            [PossibleDuplicate(lead_id=first, other_id=second) for first, second in sorted(pairs)],
            ignore_conflicts=True,
        )
