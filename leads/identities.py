"""One spelling for every phone number and e-mail address, so that one person is recognised however they write it."""

from dataclasses import dataclass

import email_validator
import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, ValidationResult

from leads.models import Identity
from operators.refusals import FieldError

# Reserved names such as .test are for people who test: a lead is not lost to a list.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


@dataclass(frozen=True, slots=True)
class Claim:
    """What a client says of itself. `source_id` scopes an id in a channel and is None for phone and e-mail."""

    kind: Identity.Kind
    value: str
    raw: str
    source_id: int | None = None

    @property
    def key(self) -> tuple[str, str, int | None]:
        """What an identity is unique by: two claims of one key are one identity, however they were written."""
        return self.kind, self.value, self.source_id


class Unreadable(ValueError):
    """This cannot be such an identity; str() is one sentence for people."""


def phone_claim(raw: str, region: str) -> Claim:
    return Claim(Identity.Kind.PHONE, normal_phone(raw, region), raw)


def email_claim(raw: str) -> Claim:
    return Claim(Identity.Kind.EMAIL, normal_email(raw), raw)


def external_claim(raw: str, source_id: int) -> Claim:
    return Claim(Identity.Kind.EXTERNAL, raw.strip(), raw, source_id)


def normal_phone(raw: str, region: str) -> str:
    """E.164, such as +79991234567. Without a leading "+" the number is read as dialled in `region` (ISO 3166-1).

    What is possible passes, assigned or not: no lead is lost to a numbering table. Raises Unreadable.
    """
    if any(character.isalpha() for character in raw):
        raise Unreadable(f"“{raw}” is not a phone number: it contains letters.")
    for spelling in (raw, f"+{raw}"):  # abroad, people leave out the “+” of their own number
        number = parse(spelling, region)
        if number and phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE:
            return phonenumbers.format_number(number, PhoneNumberFormat.E164)
    raise Unreadable(f"“{raw}” cannot be a phone number.")


def parse(spelling: str, region: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(spelling, region)
    except phonenumbers.NumberParseException:
        return None


def normal_email(raw: str) -> str:
    """Trimmed, lower case, international domains in Unicode. Syntax only, no look-up. Raises Unreadable."""
    try:
        return email_validator.validate_email(raw.strip(), check_deliverability=False).normalized.lower()
    except email_validator.EmailNotValidError as error:
        raise Unreadable(f"“{raw}” is not an e-mail address: {error}") from error


def field_error(field: str, error: Unreadable) -> FieldError:
    return FieldError(field=field, code="invalid", detail=str(error))
