"""Identities as clients give them, and the readers of e-mail addresses and ids in channels. See `leads.phones`."""

import re
from dataclasses import dataclass
from typing import Any

import email_validator
from django.utils.translation import gettext as _

from core import text
from core.errors import FieldError
from leads.models import Identity

# Accepts reserved domains such as .test, which testers use: no lead is lost because of a list.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

LONGEST = 254  # characters: what the database keeps as given, and the longest e-mail address (RFC 5321)
NAMED_ADDRESS = re.compile("([^<>]*)<([^<>]*)>")  # Ivan <ivan@example.com>


@dataclass(frozen=True, slots=True)
class Claim:
    """An identity that a client gave. `source_id` scopes an id in a channel and is None for phone and e-mail."""

    kind: Identity.Kind
    value: str
    raw: str
    source_id: int | None = None

    @property
    def key(self) -> tuple[str, str, int | None]:
        """The unique key of the identity: claims with equal keys are one identity, however they were written."""
        return self.kind, self.value, self.source_id

    @property
    def fields(self) -> dict[str, Any]:
        """The field values of the identity that this claim becomes."""
        return {"kind": str(self.kind), "value": self.value, "raw": self.raw, "source_id": self.source_id}


class Unreadable(ValueError):
    """The text is not a valid identity of this kind; str() is one sentence for people."""


def read_email(raw: str) -> Claim:
    return Claim(Identity.Kind.EMAIL, normalise_email(raw), raw)


def read_external_id(raw: str, source_id: int) -> Claim:
    return Claim(Identity.Kind.EXTERNAL, normalise_external_id(raw), raw, source_id)


def keep_as_external_id(raw: str, source_id: int) -> Claim:
    """An id in the channel made of a text that was meant to be something else."""
    return Claim(Identity.Kind.EXTERNAL, trim_identity(raw), raw, source_id)


def normalise_external_id(raw: str) -> str:
    """Trimmed; 123456789.0, as spreadsheets and programs write the number, is 123456789. Raises Unreadable."""
    trimmed = trim_identity(raw)
    try:
        return text.whole_number(trimmed)
    except ValueError as error:
        raise Unreadable(_("“%(raw)s” is a number that has lost digits. Send it as text.") % {"raw": raw}) from error


def normalise_email(raw: str) -> str:
    """Trimmed, lower case, international domains in Unicode. Of Ivan <ivan@example.com> the address. Syntax only, no
    look-up. Raises Unreadable."""
    trimmed = trim_identity(raw)
    named = NAMED_ADDRESS.fullmatch(trimmed)
    address = text.trim(named[2]) if named else trimmed
    try:
        return email_validator.validate_email(address.lower(), check_deliverability=False).normalized
    except email_validator.EmailNotValidError as error:
        sentence = _("“%(raw)s” is not a valid e-mail address (expected name@example.com).")
        raise Unreadable(sentence % {"raw": raw}) from error


def name_beside_email(raw: str) -> str:
    """Ivan, of Ivan <ivan@example.com> and of "Ivan" <ivan@example.com>; empty if there is no name."""
    named = NAMED_ADDRESS.fullmatch(text.trim(raw))
    name = text.trim(named[1]) if named else ""
    if len(name) > 1 and name[0] == name[-1] and name[0] in "\"'":
        name = name[1:-1]
    return re.sub(r"\\(.)", r"\1", name)


def trim_identity(raw: str) -> str:
    """The text without blanks around it. Raises Unreadable if nothing is left, or if no database can store it."""
    if text.UNSTORABLE.search(raw):
        raise Unreadable(_("The value contains characters that cannot be stored."))
    if len(raw) > LONGEST:
        raise Unreadable(_("The value is longer than %(longest)s characters.") % {"longest": LONGEST})
    trimmed = text.trim(raw)
    if not trimmed:
        raise Unreadable(_("The value is blank."))
    return trimmed


def field_error(field: str, error: Unreadable) -> FieldError:
    return FieldError(field=field, code="invalid", detail=str(error))
