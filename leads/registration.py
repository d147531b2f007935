"""Registers a contact: find, decide, store. `leads.batch` registers many in one transaction."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import QuerySet

from core import retry
from core.db.compiled import Columns, Select, select_together
from core.db.writes import store
from core.errors import Invalid, Unknown
from leads import idempotency, lead_matching
from leads.drafts import Draft, read_draft
from leads.identities import Claim
from leads.lead_matching import Owners, match_leads
from leads.models import Identity, Lead
from leads.possible_duplicates import mark_new_lookalikes
from leads.warnings import stored_warnings
from routing import history, queue, waiting
from routing.assignment import assign
from routing.contact_changes import by_decision
from routing.history import What
from routing.models import Contact, Source
from routing.rosters import SOURCE_WITH_MEMBERS, Roster, roster_of
from routing.selection import CLOSED_HOURS, FirstDraw


def register_contact(
    *,
    source_id: int,
    idempotency_key: str | None = None,
    by: str = history.SYSTEM,
    draw: Callable[[], float] = random.random,
    **asked: str | None,
) -> Contact:
    """Recognises the lead, chooses an operator and stores the contact, in one transaction.

    `asked` holds `lead_phone`, `lead_email`, `lead_external_id` (at least one of them), `lead_name` and `message`.

    1. Reads the input: validates texts and normalises identities. What cannot be read beside another identity is set
       aside and stored in `Contact.warnings`.
    2. Finds, in one statement: the leads that have these identities, which are locked; the source with its roster; the
       contact that an earlier request with this `idempotency_key` has created, which is then returned.
    3. Decides: which lead the contact belongs to, and which operator gets it. A sticky source prefers the lead's last
       operator, who is read only now: a contact of the same lead may have been committed while we waited for the
       identities. The operator is locked.
    4. Stores, in one statement where the database can: the operator's place, a new lead and its identities, the contact
       and its history. After the commit a queued contact is tried once more, because a place may have become free in
       between, and another spelling of a new phone is looked for once more.

    `by` names the author in the history; `draw` returns a number in [0, 1) at each call. Raises Unknown (no such
    source), Invalid (no identity is given that can be read), Reused (the key belongs to another body) and Busy;
    nothing has changed then.
    """
    try:
        draft = read_draft(source_id, lambda: find_source(source_id), idempotency_key=idempotency_key, **asked)
    except Invalid:
        find_source(source_id)  # an unknown source comes first
        raise
    first = FirstDraw()
    for attempt in retry.attempts():
        with attempt:
            found = find(draft)
            if found.earlier:
                return idempotency.replay(found.earlier, draft.fingerprint)

            keeping_names = () if found.roster.may_rename else (draft.source_id,)
            matched = match_leads([draft.person], found.owners, by=by, keeping_names=keeping_names)
            [lead] = matched.leads
            is_sticky = found.roster.is_sticky and lead.pk
            preferred = waiting.last_operator(lead_id=lead.pk) if is_sticky else None
            assignment = assign(
                roster=found.roster, draw=draw(), attempt=attempt.number, preferred=preferred, first=first
            )

            contact = new_contact(draft, lead, **by_decision(assignment.decision, assignment.accept_within))
            if assignment.operator:
                contact.operator = assignment.operator
            if contact.waiting_reason == CLOSED_HOURS:
                contact.opens_at = found.roster.opens_at
            event = history.event_of(contact, What.REGISTERED, by, decision=assignment.decision, first=first)
            store(*assignment.parts(), *matched.new, *matched.identities(by), contact, event)
            matched.amend(by)
            history.publish_move(contact, What.REGISTERED, assignment.decision)
    if matched.claimed:
        mark_new_lookalikes([(contact.lead_id, draft.person.lookalikes)])
    if contact.operator_id:
        return contact
    return queue.serve_new_waiting([contact], are_overtaken=assignment.decision is None)[0]


@dataclass(frozen=True, slots=True)
class Found:
    """The data that a registration reads before it decides."""

    roster: Roster
    owners: Owners
    earlier: Contact | None


def find(draft: Draft) -> Found:
    """Reads the data in one statement and locks the identities. Raises Unknown if no such source is open."""
    claims = draft.person.sought
    of_claims = [part for claim in claims for part in (claim.value, claim.source_id)]
    asked: list[tuple[Select[Any], tuple[Any, ...]]] = [
        (owners_of(tuple(claim.kind for claim in claims)), tuple(of_claims)),
        (SOURCE_WITH_MEMBERS, (draft.source_id,)),
    ]
    if draft.idempotency_key is not None:
        asked.append((idempotency.BY_KEY, draft.token))
    owners, members, *earlier = select_together(*asked)
    roster = roster_of(members)
    if roster is None or roster.is_closed:
        raise Unknown("source", draft.source_id)
    return Found(
        roster=roster,
        owners=lead_matching.owners_by_key(owners),
        earlier=next(iter(idempotency.as_contacts(earlier[0])), None) if earlier else None,
    )


@cache
def owners_of(kinds: tuple[Identity.Kind, ...]) -> Select[Any]:
    """The leads that have claims of these kinds, with the identities locked."""

    def build(*of_claims: Any) -> QuerySet[Any, Any]:
        return lead_matching.locked_identities(
            Claim(kind, value, "", channel if kind == Identity.Kind.EXTERNAL else None)
            for kind, value, channel in zip(kinds, of_claims[::2], of_claims[1::2], strict=True)
        )

    return Select(build, parameters=2 * len(kinds))


PHONE_SETTINGS = Columns(Source, ["id", "phone_region", "phone_format", "unreadable_phones"])
SOURCE: Select[Any] = Select(
    lambda source_id: Source.objects.current().filter(pk=source_id).values_list(*PHONE_SETTINGS.names)
)


def find_source(source_id: int) -> Source:
    """The source with only its settings for phones loaded. Raises Unknown."""
    for source in PHONE_SETTINGS.instances(SOURCE(source_id)):
        return source
    raise Unknown("source", source_id)


def new_contact(draft: Draft, lead: Lead, **fields: Any) -> Contact:
    return Contact(
        lead=lead,
        source_id=draft.source_id,
        message=draft.message,
        warnings=stored_warnings(draft.warned),
        idempotency_key=draft.idempotency_key,
        idempotency_fingerprint=draft.fingerprint,
        **fields,
    )
