"""Normalises phone numbers and e-mail addresses, so that a lead is recognised however they are written."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import email_validator
import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumber, PhoneNumberFormat, ValidationResult

from core.errors import FieldError
from leads.models import EXTENSION, Identity

# Accepts reserved domains such as .test, which testers use: no lead is lost because of a list.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

ANY_REGION = "ZZ"  # the unknown region of phonenumbers
LONGEST = 254  # characters: what the database keeps as given, and the longest e-mail address (RFC 5321)
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL stores neither NUL nor lone surrogates

# Invisible characters in text copied from chats: soft hyphen, zero-width spaces, directions of writing.
INVISIBLE = "\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
MARK = re.compile(f"[{INVISIBLE}]")
EDGES = re.compile(rf"^[\s{INVISIBLE}]+|[\s{INVISIBLE}]+$")

NO_DIGIT = re.compile("[^0-9]")

TOO_SHORT = {ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY}
EXTENSION_AS_WRITTEN = re.compile(r"[\s,;(]*(?:ext[a-z]*|доб[а-я]*|вн[а-я]*|[xх#]|,,)[\s.:=-]*(\d{1,20})[#)\s]*$")


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


def read_phone(raw: str, region: str) -> Claim:
    return Claim(Identity.Kind.PHONE, normalise_phone(raw, region), raw)


def read_email(raw: str) -> Claim:
    return Claim(Identity.Kind.EMAIL, normalise_email(raw), raw)


def read_external_id(raw: str, source_id: int) -> Claim:
    return Claim(Identity.Kind.EXTERNAL, trim_identity(raw), raw, source_id)


def normalise_phone(raw: str, region: str) -> str:
    """E.164, such as +79991234567; with an extension, +74951234567;ext=12 (RFC 3966).

    Without a leading "+" the number is read as dialled in `region` (ISO 3166-1). Possible numbers are accepted,
    assigned or not, so that no lead is lost because of an outdated numbering table. Raises Unreadable.
    """
    text = to_ascii(trim_identity(raw)).lower().removeprefix("tel:")
    extension = EXTENSION_AS_WRITTEN.search(text)
    spelling = text[: extension.start()] if extension else text
    if any(map(str.isalpha, spelling)):
        raise Unreadable(_("“%(raw)s” is not a valid phone number: it contains letters.") % {"raw": raw})
    number = read_number(spelling, region)
    if number is None:
        raise Unreadable(_("“%(raw)s” is not a valid phone number (expected +79991234567).") % {"raw": raw})
    value = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if extension:
        value += EXTENSION + extension[1]
    # Normalising must be idempotent: each pass removes one zero of +49 00 30 ...
    return value if value == text else normalise_phone(value, region)


def is_international(raw: str) -> bool:
    """Whether the number is written with "+" and country code, so that it is the same in every region."""
    return to_ascii(trim_identity(raw)).lower().removeprefix("tel:").startswith("+")


def to_ascii(text: str) -> str:
    """Converts digits, separators and plus signs to ASCII; removes invisible characters."""
    return text if text.isascii() else "".join(map(to_ascii_character, MARK.sub("", text)))


def to_ascii_character(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character.isspace():
        return " "
    if unicodedata.category(character) == "Pd" or character == "ー":  # a Japanese vowel sign, typed for a dash
        return "-"
    if unicodedata.east_asian_width(character) == "F":
        return unicodedata.normalize("NFKC", character)
    return character


def read_number(spelling: str, region: str) -> PhoneNumber | None:
    """Parses the number as dialled in the region, or as international without its "+"; None if neither is possible."""
    here = parse_number(spelling, region)
    if here is None:
        return None
    length = phonenumbers.is_possible_number_with_reason(here)
    if length in TOO_SHORT:  # short codes; the only complete numbers among them are Canada's 310-xxxx
        return here if phonenumbers.is_valid_number(here) else None
    is_possible = length == ValidationResult.IS_POSSIBLE
    digits = NO_DIGIT.sub("", spelling) if spelling.isascii() else phonenumbers.normalize_digits_only(spelling)
    if is_possible and phonenumbers.national_significant_number(here) != digits:
        return here  # with "+" or a prefix of the region: 8 123 456-78-90 is Russian, not Japanese
    abroad = parse_number(f"+{digits.removeprefix('00')}", region)
    if is_possible:
        return abroad if abroad and is_likelier(abroad, here) else here
    return abroad if abroad and phonenumbers.is_possible_number(abroad) else None


def is_likelier(abroad: PhoneNumber, here: PhoneNumber) -> bool:
    """Whether digits are more likely an international number without its "+" than one dialled in the region.

    True if only the international number is assigned (4791234567 is Norwegian, not Russian), or if the digits begin
    with the region's own country code: 4915123456789 is a German mobile, though 04915 123456789 could be dialled there.
    """
    is_own = abroad.country_code == here.country_code
    return phonenumbers.is_valid_number(abroad) and (is_own or not phonenumbers.is_valid_number(here))


def parse_number(spelling: str, region: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(spelling, region)
    except phonenumbers.NumberParseException:
        return None
    return None if number.extension else number  # rejects what phonenumbers reads as an extension: 1234567,8


def normalise_email(raw: str) -> str:
    """Trimmed, lower case, international domains in Unicode. Syntax only, no look-up. Raises Unreadable."""
    try:
        return email_validator.validate_email(trim_identity(raw).lower(), check_deliverability=False).normalized
    except email_validator.EmailNotValidError as error:
        sentence = _("“%(raw)s” is not a valid e-mail address (expected name@example.com).")
        raise Unreadable(sentence % {"raw": raw}) from error


def trim_identity(raw: str) -> str:
    """The text without surrounding blanks. Raises Unreadable if the database cannot store it."""
    if UNSTORABLE.search(raw):
        raise Unreadable(_("The value contains characters that cannot be stored."))
    if len(raw) > LONGEST:
        raise Unreadable(_("The value is longer than %(longest)s characters.") % {"longest": LONGEST})
    text = EDGES.sub("", raw)
    if not text:
        raise Unreadable(_("The value is blank."))
    return text


def field_error(field: str, error: Unreadable) -> FieldError:
    return FieldError(field=field, code="invalid", detail=str(error))
