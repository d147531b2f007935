"""The one door through which contacts are born; `leads.batch` brings many through it at once."""

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from django.utils.translation import gettext as _

from core import retry
from core.db import compiled, inserts
from core.db.compiled import Later
from core.db.inserts import New
from core.errors import FieldError, Invalid, Unknown
from core.retry import LostRace
from leads import idempotency, identities, lead_matching, validation
from leads.identities import Claim, Unreadable
from leads.lead_matching import Person
from leads.models import Identity, Lead
from routing import history, queue, rosters
from routing.history import What
from routing.models import Contact, ContactEvent, Source


def register_contact(
    *,
    source_id: int,
    lead_phone: str | None = None,
    lead_email: str | None = None,
    lead_external_id: str | None = None,
    lead_name: str | None = None,
    message: str | None = None,
    idempotency_key: str | None = None,
    by: str = history.SYSTEM,
    confirm_caller: Callable[[], Later[None]] = lambda: lambda: None,
    draw: Callable[[], float] = random.random,
) -> Contact:
    """Recognises the lead, chooses an operator and stores the contact, in one transaction.

    1. Identities are brought into one spelling; at least one of phone, e-mail and id in the channel must be given.
    2. If the source has used this `idempotency_key` before, the answer is the contact of that time, and we are done.
    3. The lead is found or made.
    4. An operator is drawn and a place taken, unless nobody is free or older contacts wait for the same operator.
    5. The contact is stored. One that waits looks for an operator once more after its own commit, because a place
       may have become free in between.

    What is asked `later` goes to the database with the next statement that is waited for. So all this takes two turns:
    the identities, the caller, the roster and its source; the lock on the operator, what is stored, and the commit.

    `by` says in the history who asked for it; `confirm_caller` asks whether they may, and its answer raises if not.
    `draw` gives a number in [0, 1) at each call. Raises Unknown (no such source), Invalid (an identity cannot be read,
    or none is given), Reused (the key belongs to another contact) and Busy; nothing has changed then.
    """
    asked = {
        "lead_phone": lead_phone,
        "lead_email": lead_email,
        "lead_external_id": lead_external_id,
        "lead_name": lead_name,
        "message": message,
        "idempotency_key": idempotency_key,
    }

    seen = draft_as_seen(source_id, asked)

    def work(attempt: int) -> Contact:
        draft = read_draft(find_source(source_id), **asked) if attempt else seen
        owners = lead_matching.ask_owners(draft.person.claims)
        earlier = idempotency.ask(draft.token)
        allowed = confirm_caller()
        roster = rosters.ask(source_id)()
        allowed()
        source = confirm(draft.source, rosters.source_of(source_id, roster))
        if made := earlier():
            return idempotency.replay(made, draft.fingerprint)
        person = lead_matching.match_leads([draft.person], owners())
        contact = draft.contact(source, *person.leads)
        decision, provided = queue.serve_newcomer(contact=contact, draw=draw(), attempt=attempt, roster=roster)
        queue.apply_decision(contact, decision)
        event = New(
            ContactEvent, {"contact_id": contact}, **history.event_fields(contact, What.REGISTERED, by, None, decision)
        )
        known_by = [New(Identity, {"lead_id": lead}, **claim.fields) for lead, claim in person.claimed]
        inserts.later(*person.new, *known_by, contact, event, provided=provided)
        person.amend()
        history.publish_move(contact, What.REGISTERED, decision)
        return contact

    contact = retry.run(work)
    return contact if contact.operator_id or contact.is_replay else queue.serve_new_waiting([contact])[0]


SOURCE: compiled.Select[Source] = compiled.Select(
    lambda pk: Source.objects.current().filter(pk=pk).only("phone_region", "strategy", "is_sticky")
)
SEEN: dict[int, Source] = {}  # by id: as this process has found them last


def find_source(source_id: int) -> Source:
    """Raises Unknown."""
    for source in SOURCE(source_id):
        SEEN[source_id] = source
        return source
    SEEN.pop(source_id, None)
    raise Unknown("source", source_id)


def draft_as_seen(source_id: int, asked: Mapping[str, str | None]) -> "Draft":
    """The draft, in the way of the source as this process has seen it last. Whoever acts on it has to `confirm` that
    the source still is like this. Raises Unknown and Invalid, both of what is true now.
    """
    if source := SEEN.get(source_id):
        with suppress(Invalid):
            return read_draft(source, **asked)
    return read_draft(find_source(source_id), **asked)


def confirm(seen: Source, read: Source | None) -> Source:
    """The source as it is now, as `read` with its roster if it has one. Raises Unknown, and LostRace when it reads
    phones in another way by now."""
    source = read or find_source(seen.pk)
    if source.region != seen.region:
        raise LostRace
    return source


@dataclass(frozen=True, slots=True)
class Draft:
    """A contact that is asked for, and can be read."""

    source: Source
    person: Person
    message: str | None
    idempotency_key: str | None
    fingerprint: bytes

    @property
    def token(self) -> idempotency.Token:
        return self.source.pk, self.idempotency_key

    def contact(self, source: Source, lead: Lead) -> Contact:
        whose = {"lead_id": lead.pk} if lead.pk else {"lead": lead}  # of somebody new the id is still to come
        contact = Contact(**whose, source=source, message=self.message)
        if self.idempotency_key is not None:
            contact.idempotency_key, contact.idempotency_fingerprint = self.idempotency_key, self.fingerprint
        return contact


def read_draft(source: Source, *, idempotency_key: str | None = None, **asked: str | None) -> Draft:
    """Brings what is asked for (as for `register_contact`) into one spelling. Raises Invalid."""
    if faults := list(validation.find_text_errors({**asked, "idempotency_key": idempotency_key})):
        raise Invalid(*faults)
    claims = read_claims(
        source,
        phone=asked.get("lead_phone"),
        email=asked.get("lead_email"),
        external_id=asked.get("lead_external_id"),
    )
    name = (asked.get("lead_name") or "").strip() or None
    fingerprint = idempotency.body_fingerprint(asked) if idempotency_key else b""
    return Draft(source, Person(claims, name), asked.get("message"), idempotency_key, fingerprint)


def read_claims(source: Source, *, phone: str | None, email: str | None, external_id: str | None) -> list[Claim]:
    """What the client says of itself, each in one spelling. Blank means not given. Raises Invalid."""
    given: Mapping[str, tuple[str | None, Callable[[str], Claim]]] = {
        "lead_external_id": (external_id, lambda raw: identities.read_external_id(raw, source.pk)),
        "lead_phone": (phone, lambda raw: identities.read_phone(raw, source.region)),
        "lead_email": (email, identities.read_email),
    }
    claims, errors = [], []
    for field, (raw, read) in given.items():
        if raw and raw.strip():
            try:
                claims.append(read(raw))
            except Unreadable as error:
                errors.append(identities.field_error(field, error))
    if not claims and not errors:
        detail = _("Give at least one of lead_phone, lead_email and lead_external_id.")
        errors = [FieldError(field, "required", detail) for field in given]
    if errors:
        raise Invalid(*errors)
    return claims
