"""Validates and normalises the input of a registration before anything is decided."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.errors import FieldError, Invalid
from leads import idempotency, identities
from leads.identities import Claim, Unreadable
from leads.lead_matching import Person
from leads.validation import find_text_errors

Token = idempotency.Token


@dataclass(frozen=True, slots=True)
class Draft:
    """The validated input of one registration."""

    source_id: int
    person: Person
    message: str | None
    idempotency_key: str | None
    fingerprint: bytes | None  # of the whole body, if there is a key

    @property
    def token(self) -> Token:
        return self.source_id, self.idempotency_key


def read_draft(
    source_id: int, region: Callable[[], str], *, idempotency_key: str | None = None, **asked: str | None
) -> Draft:
    """Reads `lead_phone`, `lead_email`, `lead_external_id`, `lead_name` and `message`. Raises Invalid.

    `region` is called only for a phone that is not written with its country code.
    """
    if errors := list(find_text_errors({**asked, "idempotency_key": idempotency_key})):
        raise Invalid(*errors)
    claims = read_claims(
        {
            "lead_external_id": lambda raw: identities.read_external_id(raw, source_id),
            "lead_phone": lambda raw: read_phone(raw, region),
            "lead_email": identities.read_email,
        },
        asked,
    )
    name = (asked.get("lead_name") or "").strip() or None
    fingerprint = idempotency.body_fingerprint(asked) if idempotency_key else None
    return Draft(source_id, Person(claims, name), asked.get("message"), idempotency_key, fingerprint)


def read_phone(raw: str, region: Callable[[], str]) -> Claim:
    """Most numbers with a country code are the same in every region; +0049... is one only where 00 leads abroad."""
    if identities.is_international(raw):
        with suppress(Unreadable):
            return identities.read_phone(raw, identities.ANY_REGION)
    return identities.read_phone(raw, region())


def read_claims(readers: Mapping[str, Callable[[str], Claim]], asked: Mapping[str, str | None]) -> list[Claim]:
    """The identities that the client gave; blank means not given. Raises Invalid, naming every bad field."""
    claims, errors = [], []
    for field, read in readers.items():
        raw = asked.get(field)
        if raw and raw.strip():
            try:
                claims.append(read(raw))
            except Unreadable as error:
                errors.append(identities.field_error(field, error))
    if not claims and not errors:
        detail = _("Give at least one of lead_phone, lead_email and lead_external_id.")
        errors = [FieldError(field, "required", detail) for field in readers]
    if errors:
        raise Invalid(*errors)
    return claims
