"""Finds the lead by the identities that a client gave, or creates one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from operator import or_
from typing import Any, NamedTuple

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, When
from django.utils import timezone

from core.db.compiled import Columns
from core.db.writes import Row
from core.retry import LostRace
from leads import lead_lookup
from leads.identities import Claim
from leads.lead_names import former_name, give_name, record_former_names, stored_name
from leads.models import FormerName, Identity, Lead, PossibleDuplicate

NAMED = Columns(Lead, ["id", "name"])
NAME_OF_LEAD = Subquery(Lead.objects.filter(pk=OuterRef("lead_id")).values("name"))
STRENGTH = {kind: place for place, kind in enumerate(Identity.Kind)}

Key = tuple[str, str, int | None]  # Claim.key
Owned = tuple[str, str, int | None, int, str | None, int | None]  # key, lead's id and name, own id if it is shared


class Shared(NamedTuple):
    """An identity that recognises nobody, and the lead that had it first."""

    identity_id: int
    lead_id: int


Owners = dict[Key, Lead | Shared]


class Claimed(NamedTuple):
    """A claim that becomes an identity of the lead, and the id of the source through which it came."""

    lead: Lead
    claim: Claim
    through: int | None

    def fields(self, by: str) -> dict[str, Any]:
        """The fields of the identity besides the lead."""
        return self.claim.fields | {"added_by": by, "added_through_id": self.through}


@dataclass(frozen=True, slots=True)
class Person:
    """The sender of a contact: at least one claim, and a name, which replaces the lead's if given.

    `lookalikes` are other spellings of the claims: their leads may be the same person.
    """

    claims: Sequence[Claim]
    name: str | None = None
    lookalikes: Sequence[Claim] = ()
    through: int | None = None  # the id of the source

    @property
    def sought(self) -> list[Claim]:
        """The identities to look up."""
        return [*self.claims, *self.lookalikes]


@dataclass(frozen=True, slots=True)
class MatchedLeads:
    """The leads of some senders, in their order, and what is still to be written.

    The caller locks operators, stores the `new` leads, then stores the `claimed` identities in this order, and calls
    `amend` last: concurrent requests with the same identities then wait for each other and do not deadlock.
    """

    leads: list[Lead]
    new: list[Lead]
    claimed: list[Claimed]
    copied: dict[tuple[int, Key], tuple[Claimed, Shared]]
    renamed: dict[int, Lead]
    names_before: dict[int, str | None]  # of the renamed leads
    former_names: list[FormerName]
    pairs: list[tuple[Lead, Lead]]

    def identities(self, by: str) -> list[Row]:
        """The rows of the claimed identities, added by this author."""
        return [Row(Identity, lead=one.lead, **one.fields(by)) for one in self.claimed]

    def amend(self, by: str) -> None:
        """Writes changes of existing leads and pairs of leads. The caller has stored the new leads. `by` names who
        has replaced names."""
        pairs = [(lead.pk, other.pk) for lead, other in self.pairs]
        locked: dict[int, Lead] = {}
        if pairs or self.renamed:
            # With the leads to rename, because all of them are locked in one order.
            locked = lead_lookup.lock_rows({*chain.from_iterable(pairs), *self.renamed})
            if pairs and not all(lead.is_current for lead in locked.values()):
                raise LostRace
        record_former_names(self.replaced_names(locked), by=by)
        for lead_id, lead in sorted(self.renamed.items()):
            Lead.objects.filter(pk=lead_id).update(**stored_name(lead), updated_at=timezone.now())
        if pairs:
            mark_duplicates(pairs)
        if self.copied:
            copy_shared(list(self.copied.values()), by)

    def replaced_names(self, locked: Mapping[int, Lead]) -> list[FormerName]:
        """The former names, after a look at the locked leads: another contact may have given one of them another name
        since it was read, and has recorded the name that was read then."""
        replaced = self.former_names
        for lead_id, name in self.names_before.items():
            present = locked[lead_id]
            if present.name != name:
                replaced = [one for one in replaced if (one.lead.pk, one.name) != (lead_id, name)]
                replaced += [former_name(present)] if present.name not in (None, self.renamed[lead_id].name) else []
        return replaced


def match_leads(
    people: Sequence[Person], owners: Owners, *, by: str, keeping_names: Collection[int] = ()
) -> MatchedLeads:
    """The leads of these senders, taken one after another; new leads where no claim is known.

    The strongest known claim decides. Claims that no lead has yet are added to that lead; claims of another lead stay
    with it, and the pair is marked as a possible duplicate, as is the lead of a lookalike. A shared claim decides
    nothing; the lead gets a copy of it. A name, given by this author, replaces the lead's, except through the sources
    `keeping_names`, which only fill an empty one. `owners` holds the lead of each known claim and lookalike; new claims
    are added to it.
    """
    found: list[Lead] = []
    new: list[Lead] = []
    renamed: dict[int, Lead] = {}
    names_before: dict[int, str | None] = {}
    former_names: list[FormerName] = []
    claimed: list[Claimed] = []
    copied: dict[tuple[int, Key], tuple[Claimed, Shared]] = {}
    pairs: list[tuple[Lead, Lead]] = []
    for person in people:
        holders = [owners.get(claim.key) for claim in sorted(person.claims, key=strength)]
        known = [holder for holder in holders if isinstance(holder, Lead)]
        if known:
            lead = known[0]
            pairs += [(lead, other) for other in known[1:] if other is not lead]
            if person.name and person.name != lead.name and not (lead.name and person.through in keeping_names):
                former_names += [former_name(lead)] if lead.name else []
                if lead.pk:
                    renamed[lead.pk] = lead
                    names_before.setdefault(lead.pk, lead.name)
                give_name(lead, person.name, by=by, through=person.through)
        else:
            lead = Lead()
            give_name(lead, person.name, by=by, through=person.through)
            new.append(lead)
        for claim in person.claims:
            holder = owners.get(claim.key)
            if holder is None:
                owners[claim.key] = lead
                claimed.append(Claimed(lead, claim, person.through))
            elif isinstance(holder, Shared) and holder.lead_id != lead.pk:
                copied[id(lead), claim.key] = Claimed(lead, claim, person.through), holder
        alike = [owners.get(claim.key) for claim in person.lookalikes]
        pairs += [(lead, other) for other in alike if isinstance(other, Lead) and other is not lead]
        found.append(lead)
    claimed.sort(key=lambda one: storing_order(one.claim))
    return MatchedLeads(found, new, claimed, copied, renamed, names_before, former_names, pairs)


def strength(claim: Claim) -> int:
    return STRENGTH[claim.kind]


def copy_shared(copied: Sequence[tuple[Claimed, Shared]], by: str) -> None:
    """Gives these leads a copy of the shared identity, unless they have one. The caller has locked the shared ones."""
    had = Identity.objects.filter(
        copy_of__in={shared.identity_id for _, shared in copied}, lead__in={claimed.lead.pk for claimed, _ in copied}
    )
    known = set(had.values_list("lead_id", "copy_of_id"))
    Identity.objects.bulk_create(
        Identity(lead=claimed.lead, is_shared=True, copy_of_id=shared.identity_id, **claimed.fields(by))
        for claimed, shared in copied
        if (claimed.lead.pk, shared.identity_id) not in known
    )


def lock_owners(claims: Iterable[Claim]) -> Owners:
    """The leads that have these claims, by key; only `pk` and `name` are loaded. Locks the identities in key order
    until the end of the caller's transaction, so that a concurrent merge cannot move them.

    PostgreSQL leaves out an identity that was deleted or got another value while we waited for its lock. Its claim
    then counts as new. One that moved to another lead is found there.
    """
    return owners_by_key(locked_identities(claims))


def owners_by_key(rows: Iterable[Owned]) -> Owners:
    """The lead of each claim, by key; all identities of a lead share one instance."""
    leads: dict[int, Lead] = {}
    owners: Owners = {}
    for kind, value, source_id, lead_id, name, shared_id in rows:
        if shared_id is not None:
            owners[kind, value, source_id] = Shared(shared_id, lead_id)
            continue
        if lead_id not in leads:
            [leads[lead_id]] = NAMED.instances([(lead_id, name)])
        owners[kind, value, source_id] = leads[lead_id]
    return owners


def locked_identities(claims: Iterable[Claim]) -> QuerySet[Identity, Owned]:
    """A subquery for the name, not a join: after waiting for a lock PostgreSQL reads the identity again, but not what
    was joined to it, and would leave out an identity that has just moved to another lead."""
    rows = identities_of_claims(claims).order_by("pk").select_for_update(of=("self",), no_key=True)
    return owned(rows)


def owned(identities: QuerySet[Identity]) -> QuerySet[Identity, Owned]:
    """The columns that `owners_by_key` reads."""
    shared_id = Case(When(is_shared=True, then="pk"))
    return identities.values_list("kind", "value", "source_id", "lead_id", NAME_OF_LEAD, shared_id)


def find_owners(claims: Iterable[Claim]) -> dict[Key, int]:
    """The id of the lead that has each known claim, by key, without shared ones. Locks nothing."""
    rows = identities_of_claims(claims).filter(is_shared=False).values_list("kind", "value", "source_id", "lead_id")
    return {(kind, value, source_id): lead_id for kind, value, source_id, lead_id in rows}


def identities_of_claims(claims: Iterable[Claim]) -> QuerySet[Identity]:
    """The identities with the keys of these claims, without copies of shared ones."""
    values: dict[tuple[str, int | None], set[str]] = {}
    for claim in claims:
        values.setdefault((claim.kind, claim.source_id), set()).add(claim.value)
    if not values:
        return Identity.objects.none()
    alike = (
        Q(source=source_id, value__in=given) if source_id else Q(kind=kind, source__isnull=True, value__in=given)
        for (kind, source_id), given in values.items()
    )
    return Identity.objects.filter(reduce(or_, alike), copy_of__isnull=True)


def storing_order(claim: Claim) -> tuple[str, str, int]:
    """The order in which everybody stores new identities: two who store the same ones wait, and do not deadlock."""
    return claim.kind, claim.value, claim.source_id or 0


def mark_duplicates(pairs: Iterable[tuple[int, int]]) -> None:
    """Marks these pairs as possible duplicates for a supervisor to decide; earlier decisions are kept.

    The caller has locked both leads of each pair, and has read them again under the lock.
    """
    ordered = sorted({(min(pair), max(pair)) for pair in pairs})
    PossibleDuplicate.objects.bulk_create(
        [PossibleDuplicate(lead_id=first, other_id=second) for first, second in ordered], ignore_conflicts=True
    )
