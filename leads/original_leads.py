"""Leads of the original service: their identities, and which of them are one person.

The original service compared phones and e-mails as they were written. If two leads have the same one in two spellings,
the later lead is merged into the other, with the journal of `merging`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain

from core import text
from core.db.bulk import store_as_given
from leads import drafts, identities, lead_lookup, lead_matching, merging, phones, validation
from leads.identities import Claim, Unreadable
from leads.lead_matching import Shared
from leads.models import Identity, Lead
from leads.original_rows import LeadRow, Note, Report
from routing import history
from routing.models import Contact, Source

TOGETHER = 1_000  # leads in one statement


class People:
    """Stores leads with their identities, and remembers what is to be done when all contacts are stored."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.unreadable: list[tuple[LeadRow, list[str]]] = []  # with texts that are neither phone nor e-mail
        self.same: list[tuple[int, int]] = []  # a lead, and a later one that is the same person
        self.alike: list[tuple[int, int]] = []  # leads that may be one person

    def store_leads(self, rows: Sequence[LeadRow]) -> None:
        store_as_given([self.lead_of(row) for row in rows])
        claimed = {}
        for row in rows:
            claimed[row], unreadable = read_identities(row)
            if unreadable:
                self.unreadable.append((row, unreadable))
            elif not claimed[row]:
                self.report.notes[Note.NOT_RECOGNISABLE].append(row.id)
        self.store_identities(claimed)

    def lead_of(self, row: LeadRow) -> Lead:
        name = validation.read_name(row.name, [])
        if name and validation.too_long("lead_name", name):
            self.report.notes[Note.NAME_SHORTENED].append(row.id)
            name = name[: validation.LONGEST["lead_name"]]
        return Lead(
            pk=row.id,
            name=name,
            name_added_by=history.ORIGINAL if name else None,
            name_added_at=row.created_at if name else None,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    def store_identities(self, claimed: Mapping[LeadRow, Sequence[Claim]]) -> None:
        """Gives each lead those of its claims, the strongest first, that nobody has. A lead with a claim of another one
        is the same person as the owner of the strongest such claim; a supervisor decides about its other owners, and
        about those of lookalikes."""
        alike = {row: phones.all_lookalikes(claims) for row, claims in claimed.items()}
        owners = lead_matching.lock_owners(chain.from_iterable([*claimed.values(), *alike.values()]))
        added = []
        for row, claims in claimed.items():
            lead = Lead(pk=row.id)
            others = []
            for claim in {claim.key: claim for claim in claims}.values():
                owner = owners.setdefault(claim.key, lead)
                if owner is lead or isinstance(owner, Shared):
                    added.append(identity_of(row, claim, owner))
                elif owner.pk != row.id:
                    others.append(owner.pk)
            if others:
                self.same.append((others[0], row.id))
                self.alike += [(others[0], other) for other in others[1:]]
            found = (owners.get(other.key) for other in alike[row])
            self.alike += [(row.id, other.pk) for other in found if isinstance(other, Lead)]
        store_as_given(added)

    def finish(self) -> None:
        """Makes unreadable texts ids in the channels, and merges leads that are one person."""
        for start in range(0, len(self.unreadable), TOGETHER):
            self.store_external_ids(dict(self.unreadable[start : start + TOGETHER]))
        for lead_id, other_id in self.same:
            merging.merge_leads(lead_id=lead_id, other_id=other_id, by=history.IMPORT)
        pairs = {(lead_lookup.find_lead(one).pk, lead_lookup.find_lead(other).pk) for one, other in self.alike}
        lead_matching.mark_duplicates((one, other) for one, other in pairs if one != other)
        self.report.notes[Note.MERGED] += sorted({other_id for _, other_id in self.same})

    def store_external_ids(self, texts: Mapping[LeadRow, Sequence[str]]) -> None:
        """In the channels that the lead has written in; in all channels, if it has written in none."""
        everywhere = list(Source.objects.order_by("pk").values_list("pk", flat=True))
        channels: dict[int, list[int]] = defaultdict(list)
        written_in = Contact.objects.filter(lead__in=[row.id for row in texts]).order_by("lead", "source").distinct()
        for lead_id, source_id in written_in.values_list("lead_id", "source_id"):
            channels[lead_id].append(source_id)
        self.store_identities(
            {
                row: [
                    identities.keep_as_external_id(raw, source_id)
                    for source_id in channels.get(row.id, everywhere)
                    for raw in unreadable
                ]
                for row, unreadable in texts.items()
            }
        )
        self.report.notes[Note.BECAME_EXTERNAL] += [row.id for row in texts]


def identity_of(row: LeadRow, claim: Claim, owner: Lead | Shared) -> Identity:
    """A copy, if many people share this identity here."""
    first = owner.identity_id if isinstance(owner, Shared) else None
    return Identity(
        lead_id=row.id,
        is_shared=first is not None,
        copy_of_id=first,
        added_by=history.ORIGINAL,
        created_at=row.created_at,
        **claim.fields,
    )


def read_identities(row: LeadRow) -> tuple[list[Claim], list[str]]:
    """The identities of a lead, the strongest first, and the texts that cannot be read, as they can be stored."""
    claims, unreadable = [], []
    for raw, read in ((row.phone, read_phone), (row.email, identities.read_email)):
        if raw and not text.is_blank(raw) and not validation.is_placeholder(raw):
            try:
                claims.append(read(raw))
            except Unreadable:
                unreadable.append(text.replace_unstorable(raw)[: validation.LONGEST["lead_external_id"]])
    return claims, unreadable


def read_phone(raw: str) -> Claim:
    return drafts.read_phone(raw, Source)  # a source without settings of its own
