"""Validates and normalises the input of a registration before anything is decided."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from django.utils.translation import gettext as _

from core import text
from core.errors import FieldError, Invalid
from leads import idempotency, identities, phones, validation
from leads.identities import Claim, Unreadable
from leads.lead_matching import Person
from leads.models import Identity
from leads.warnings import PLACEHOLDER, UNREADABLE, Warned
from routing.models import WHOLE_NUMBERS, Source, UnreadablePhones

Token = idempotency.Token
Readers = Mapping[str, Callable[[str], Claim]]


@dataclass(frozen=True, slots=True)
class Draft:
    """The validated input of one registration."""

    source_id: int
    person: Person
    message: str | None
    idempotency_key: str | None
    fingerprint: bytes | None  # of the whole body, if there is a key
    warned: list[Warned]  # what was wrong and is stored with the contact

    @property
    def token(self) -> Token:
        return self.source_id, self.idempotency_key


def read_draft(
    source_id: int, source: Callable[[], Source], *, idempotency_key: str | None = None, **asked: str | None
) -> Draft:
    """Reads `lead_phone`, `lead_email`, `lead_external_id`, `lead_name` and `message`.

    One bad identity does not cost the others: it is set aside with a warning. Raises Invalid, naming every bad field,
    if no identity can be read, or if a text has a fault that is not mended.

    `source` is called only for a phone that is not written with its country code or that cannot be read.
    """
    if errors := list(validation.find_text_errors({**asked, "idempotency_key": idempotency_key})):
        raise Invalid(*errors)
    readers: Readers = {
        "lead_external_id": lambda raw: identities.read_external_id(raw, source_id),
        "lead_phone": lambda raw: read_phone(raw, source),
        "lead_email": identities.read_email,
    }
    warned: list[Warned] = []
    given = {field: raw for field in readers if (raw := asked.get(field)) and (raw := read_given(field, raw, warned))}
    claims, errors = read_claims(readers, given)
    if not claims and is_kept(errors, source):
        claims = [identities.keep_as_external_id(given["lead_phone"], source_id)]
    if not claims:
        raise Invalid(*(errors or nobody(readers)))
    warned += [Warned(error.field, UNREADABLE, given[error.field]) for error in errors]
    name = validation.read_name(asked.get("lead_name"), warned)
    if not name and any(claim.kind == Identity.Kind.EMAIL for claim in claims):
        name = validation.read_name(identities.name_beside_email(given["lead_email"]), warned)
    message = validation.read_message(asked.get("message"), warned)
    lookalikes = phones.all_lookalikes(claims)
    fingerprint = idempotency.body_fingerprint(asked) if idempotency_key else None
    return Draft(source_id, Person(claims, name, lookalikes, source_id), message, idempotency_key, fingerprint, warned)


def read_given(field: str, raw: str, warned: list[Warned]) -> str | None:
    """The text of an identity; None if it is blank, or a placeholder, which is added to `warned`."""
    if text.is_blank(raw):
        return None
    if validation.is_placeholder(raw):
        warned.append(Warned(field, PLACEHOLDER, raw))
        return None
    return raw


def read_claims(readers: Readers, given: Mapping[str, str]) -> tuple[list[Claim], list[FieldError]]:
    """The identities that can be read, and the errors of the others."""
    claims, errors = [], []
    for field, raw in given.items():
        if detail := validation.too_long(field, raw):
            errors.append(FieldError(field, "max_length", detail))
            continue
        try:
            claims.append(readers[field](raw))
        except Unreadable as error:
            errors.append(identities.field_error(field, error))
    return claims, errors


def read_phone(raw: str, source: Callable[[], Source]) -> Claim:
    """Most numbers with a country code are the same in every region; +0049... is one only where 00 leads abroad."""
    if phones.is_international(raw):
        with suppress(Unreadable):
            return phones.read_phone(raw, WHOLE_NUMBERS)
    return phones.read_phone(raw, source().region)


def is_kept(errors: list[FieldError], source: Callable[[], Source]) -> bool:
    """Whether a phone that cannot be one becomes an id in the channel."""
    is_no_phone = any((error.field, error.code) == ("lead_phone", "invalid") for error in errors)
    return is_no_phone and source().unreadable_phones == UnreadablePhones.KEEP


def nobody(fields: Readers) -> list[FieldError]:
    detail = _("Give at least one of lead_phone, lead_email and lead_external_id.")
    return [FieldError(field, "required", detail) for field in fields]
