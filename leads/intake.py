"""The one door through which contacts are born."""

import random
from collections.abc import Callable, Mapping

from leads import history, identities, queue, recognition
from leads.history import What
from leads.identities import Claim, Unreadable
from leads.models import Contact
from operators.refusals import FieldError, Invalid, Unknown
from routing import races
from routing.models import Source


def register_contact(
    *,
    source_id: int,
    lead_phone: str | None = None,
    lead_email: str | None = None,
    lead_external_id: str | None = None,
    lead_name: str | None = None,
    message: str | None = None,
    by: str = history.SYSTEM,
    draw: Callable[[], float] = random.random,
) -> Contact:
    """Recognises the lead, chooses an operator and stores the contact, in one transaction.

    1. Identities are brought into one spelling; at least one of phone, e-mail and id in the channel must be given.
    2. The lead is found or made.
    3. An operator is drawn and a place taken, unless nobody is free or older contacts wait for the same operator.
    4. The contact is stored. One that waits looks for an operator once more after its own commit, because a place
       may have become free in between.

    `by` says in the history who asked for it. `draw` gives a number in [0, 1) at each call. Raises Unknown (no such
    source), Invalid (an identity cannot be read, or none is given) and Busy; nothing has changed then.
    """
    source = Source.objects.current().filter(pk=source_id).first()
    if source is None:
        raise Unknown("source", source_id)
    claims = read_claims(source, phone=lead_phone, email=lead_email, external_id=lead_external_id)
    name = (lead_name or "").strip() or None

    def work(attempt: int) -> Contact:
        lead_id = recognition.recognise(claims=claims, name=name)
        contact = Contact(lead_id=lead_id, source=source, message=message)
        decision = queue.find_operator(contact=contact, draw=draw(), attempt=attempt)
        queue.place(contact, decision)
        contact.save(force_insert=True)
        history.record(contact=contact, what=What.REGISTERED, by=by, decision=decision)
        return contact

    contact = races.run(work)
    return contact if contact.operator_id else queue.look_again(contact)


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
