"""Finds the lead by the identities that a client gave, or creates one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.utils import timezone

from core.db.compiled import Columns
from leads.identities import Claim
from leads.models import Identity, Lead, PossibleDuplicate

NAMED = Columns(Lead, ["id", "name"])
STRENGTH = {kind: place for place, kind in enumerate(Identity.Kind)}

Key = tuple[str, str, int | None]  # Claim.key
Owned = tuple[str, str, int | None, int, str | None]  # an identity's key, and its lead's id and name


@dataclass(frozen=True, slots=True)
class Person:
    """The sender of a contact: at least one claim, and a name, which replaces the lead's if given."""

    claims: Sequence[Claim]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class MatchedLeads:
    """The leads of some senders, in their order, and what is still to be written.

    The caller locks operators, stores the `new` leads, then stores the `claimed` identities in this order, and calls
    `amend` last: concurrent requests with the same identities then wait for each other and do not deadlock.
    """

    leads: list[Lead]
    new: list[Lead]
    claimed: list[tuple[Lead, Claim]]
    renamed: dict[int, Lead]
    pairs: list[tuple[Lead, Lead]]

    def amend(self) -> None:
        """Writes changes of existing leads and pairs of leads. The caller has stored the new leads."""
        for lead_id, lead in sorted(self.renamed.items()):
            Lead.objects.filter(pk=lead_id).update(name=lead.name, updated_at=timezone.now())
        if self.pairs:
            mark_duplicates((lead.pk, other.pk) for lead, other in self.pairs)


def match_leads(people: Sequence[Person], owners: dict[Key, Lead]) -> MatchedLeads:
    """The leads of these senders, taken one after another; new leads where no claim is known.

    The strongest known claim decides. Claims that no lead has yet are added to that lead; claims of another lead stay
    with it, and the pair is marked as a possible duplicate. `owners` holds the lead of each known claim; new claims are
    added to it.
    """
    found: list[Lead] = []
    new: list[Lead] = []
    renamed: dict[int, Lead] = {}
    claimed: list[tuple[Lead, Claim]] = []
    pairs: list[tuple[Lead, Lead]] = []
    for person in people:
        known = [owners[claim.key] for claim in sorted(person.claims, key=strength) if claim.key in owners]
        if known:
            lead = known[0]
            pairs += [(lead, other) for other in known[1:] if other is not lead]
            if person.name and person.name != lead.name:
                lead.name = person.name
                renamed |= {lead.pk: lead} if lead.pk else {}
        else:
            lead = Lead(name=person.name)
            new.append(lead)
        for claim in person.claims:
            if claim.key not in owners:
                owners[claim.key] = lead
                claimed.append((lead, claim))
        found.append(lead)
    claimed.sort(key=claim_order)
    return MatchedLeads(found, new, claimed, renamed, pairs)


def strength(claim: Claim) -> int:
    return STRENGTH[claim.kind]


def lock_owners(claims: Iterable[Claim]) -> dict[Key, Lead]:
    """The leads that have these claims, by key; only `pk` and `name` are loaded. Locks the identities in key order
    until the end of the caller's transaction, so that a concurrent merge cannot move them.

    PostgreSQL leaves out an identity that moved to another lead while we waited for its lock. Its claim then counts as
    new, like one that another request is just adding: storing it fails, which counts as a lost race.
    """
    return owners_by_key(locked_identities(claims))


def owners_by_key(rows: Iterable[Owned]) -> dict[Key, Lead]:
    """The lead of each claim, by key; all identities of a lead share one instance."""
    leads: dict[int, Lead] = {}
    owners = {}
    for kind, value, source_id, lead_id, name in rows:
        if lead_id not in leads:
            [leads[lead_id]] = NAMED.instances([(lead_id, name)])
        owners[kind, value, source_id] = leads[lead_id]
    return owners


def locked_identities(claims: Iterable[Claim]) -> QuerySet[Identity, Owned]:
    rows = identities_of_claims(claims).order_by("pk").select_for_update(of=("self",), no_key=True)
    return rows.values_list("kind", "value", "source_id", "lead_id", "lead__name")


def find_owners(claims: Iterable[Claim]) -> dict[Key, int]:
    """The id of the lead that has each known claim, by key. Locks nothing."""
    rows = identities_of_claims(claims).values_list("kind", "value", "source_id", "lead_id")
    return {(kind, value, source_id): lead_id for kind, value, source_id, lead_id in rows}


def identities_of_claims(claims: Iterable[Claim]) -> QuerySet[Identity]:
    """The identities with the keys of these claims."""
    values: dict[tuple[str, int | None], set[str]] = {}
    for claim in claims:
        values.setdefault((claim.kind, claim.source_id), set()).add(claim.value)
    if not values:
        return Identity.objects.none()
    alike = (
        Q(source=source_id, value__in=given) if source_id else Q(kind=kind, source__isnull=True, value__in=given)
        for (kind, source_id), given in values.items()
    )
    return Identity.objects.filter(reduce(or_, alike))


def claim_order(claimed: tuple[Lead, Claim]) -> tuple[str, str, int]:
    _, claim = claimed
    return claim.kind, claim.value, claim.source_id or 0


def mark_duplicates(pairs: Iterable[tuple[int, int]]) -> None:
    """Marks these pairs as possible duplicates for a supervisor to decide; earlier decisions are kept."""
    ordered = sorted({(min(pair), max(pair)) for pair in pairs})
    PossibleDuplicate.objects.bulk_create(
        [PossibleDuplicate(lead_id=first, other_id=second) for first, second in ordered], ignore_conflicts=True
    )
