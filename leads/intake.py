"""The one door through which contacts are born; `leads.batch` brings many through it at once."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leads import history, identities, queue, recognition, repetition, texts
from leads.history import What
from leads.identities import Claim, Unreadable
from leads.models import Contact
from leads.recognition import Person
from operators.refusals import FieldError, Invalid, Unknown
from routing import assignment, races
from routing.models import Source
from sql import compiled


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
    draw: Callable[[], float] = random.random,
) -> Contact:
    """Recognises the lead, chooses an operator and stores the contact, in one transaction.

    1. Identities are brought into one spelling; at least one of phone, e-mail and id in the channel must be given.
    2. If the source has used this `idempotency_key` before, the answer is the contact of that time, and we are done.
    3. The lead is found or made.
    4. An operator is drawn and a place taken, unless nobody is free or older contacts wait for the same operator.
    5. The contact is stored. One that waits looks for an operator once more after its own commit, because a place
       may have become free in between.

    `by` says in the history who asked for it. `draw` gives a number in [0, 1) at each call. Raises Unknown (no such
    source), Invalid (an identity cannot be read, or none is given), Reused (the key belongs to another contact) and
    Busy; nothing has changed then.
    """
    source = find_source(source_id)
    draft = read_draft(
        source,
        lead_phone=lead_phone,
        lead_email=lead_email,
        lead_external_id=lead_external_id,
        lead_name=lead_name,
        message=message,
        idempotency_key=idempotency_key,
    )

    def work(attempt: int) -> Contact:
        earlier = repetition.find([draft.token])
        if earlier:
            return repetition.answer(earlier[draft.token], draft.fingerprint)
        owners = recognition.ask_owners(draft.person.claims)
        roster = assignment.ask_roster(source)
        [lead_id] = recognition.recognise([draft.person], owners)
        contact = draft.contact(lead_id)
        decision = queue.find_operator(contact=contact, draw=draw(), attempt=attempt, roster=roster)
        queue.place(contact, decision)
        repetition.store([contact])
        history.record(contact=contact, what=What.REGISTERED, by=by, decision=decision)
        return contact

    contact = races.run(work)
    return contact if contact.operator_id or contact.is_replay else queue.look_again([contact])[0]


SOURCE: compiled.Select[Source] = compiled.Select(lambda pk: Source.objects.current().filter(pk=pk))


def find_source(source_id: int) -> Source:
    """Raises Unknown."""
    for source in SOURCE(source_id):
        return source
    raise Unknown("source", source_id)


@dataclass(frozen=True, slots=True)
class Draft:
    """A contact that is asked for, and can be read."""

    source: Source
    person: Person
    message: str | None
    idempotency_key: str | None
    fingerprint: bytes

    @property
    def token(self) -> repetition.Token:
        return self.source.pk, self.idempotency_key

    def contact(self, lead_id: int) -> Contact:
        contact = Contact(lead_id=lead_id, source=self.source, message=self.message)
        if self.idempotency_key is not None:
            contact.idempotency_key, contact.idempotency_fingerprint = self.idempotency_key, self.fingerprint
        return contact


def read_draft(source: Source, *, idempotency_key: str | None = None, **asked: str | None) -> Draft:
    """Brings what is asked for (as for `register_contact`) into one spelling. Raises Invalid."""
    if faults := list(texts.faults({**asked, "idempotency_key": idempotency_key})):
        raise Invalid(*faults)
    claims = read_claims(
        source,
        phone=asked.get("lead_phone"),
        email=asked.get("lead_email"),
        external_id=asked.get("lead_external_id"),
    )
    name = (asked.get("lead_name") or "").strip() or None
    return Draft(source, Person(claims, name), asked.get("message"), idempotency_key, repetition.fingerprint(asked))


def read_claims(source: Source, *, phone: str | None, email: str | None, external_id: str | None) -> list[Claim]:
    """What the client says of itself, each in one spelling. Blank means not given. Raises Invalid."""
    given: Mapping[str, tuple[str | None, Callable[[str], Claim]]] = {
        "lead_external_id": (external_id, lambda raw: identities.external_claim(raw, source.pk)),
        "lead_phone": (phone, lambda raw: identities.phone_claim(raw, source.region)),
        "lead_email": (email, identities.email_claim),
    }
    claims, errors = [], []
    for field, (raw, read) in given.items():
        if raw and raw.strip():
            try:
                claims.append(read(raw))
            except Unreadable as error:
                errors.append(identities.field_error(field, error))
    if not claims and not errors:
        detail = "Give at least one of lead_phone, lead_email and lead_external_id."
        errors = [FieldError(field, "required", detail) for field in given]
    if errors:
        raise Invalid(*errors)
    return claims
