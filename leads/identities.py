"""One spelling for every phone number and e-mail address, so that one person is recognised however they write it."""

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

# Reserved names such as .test are for people who test: a lead is not lost to a list.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()

ANY_REGION = "ZZ"  # to phonenumbers: an unknown region
LONGEST = 254  # characters: what the database keeps as given, and the longest e-mail address (RFC 5321)
UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL keeps neither NUL nor half a character

# Marks that come along when somebody copies out of a chat: soft hyphen, zero-width spaces, directions of writing.
INVISIBLE = "\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
MARK = re.compile(f"[{INVISIBLE}]")
EDGES = re.compile(rf"^[\s{INVISIBLE}]+|[\s{INVISIBLE}]+$")

NO_DIGIT = re.compile("[^0-9]")

TOO_SHORT = {ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY}
EXTENSION_AS_WRITTEN = re.compile(r"[\s,;(]*(?:ext[a-z]*|доб[а-я]*|вн[а-я]*|[xх#]|,,)[\s.:=-]*(\d{1,20})[#)\s]*$")


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

    @property
    def fields(self) -> dict[str, Any]:
        """Of the identity that it becomes."""
        return {"kind": str(self.kind), "value": self.value, "raw": self.raw, "source_id": self.source_id}


class Unreadable(ValueError):
    """This cannot be such an identity; str() is one sentence for people."""


def read_phone(raw: str, region: str) -> Claim:
    return Claim(Identity.Kind.PHONE, normalise_phone(raw, region), raw)


def read_email(raw: str) -> Claim:
    return Claim(Identity.Kind.EMAIL, normalise_email(raw), raw)


def read_external_id(raw: str, source_id: int) -> Claim:
    return Claim(Identity.Kind.EXTERNAL, trim_identity(raw), raw, source_id)


def normalise_phone(raw: str, region: str) -> str:
    """E.164, such as +79991234567; behind a switchboard with the extension, +74951234567;ext=12 (RFC 3966).

    Without a leading "+" the number is read as dialled in `region` (ISO 3166-1). What is possible passes, assigned or
    not: no lead is lost to a numbering table. Raises Unreadable.
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
    # What is given back must read as itself: of +49 00 30 ... one zero goes at each reading.
    return value if value == text else normalise_phone(value, region)


def is_international(raw: str) -> bool:
    """Whether the number is written with its country code, so that it is the same in every region."""
    return to_ascii(trim_identity(raw)).lower().removeprefix("tel:").startswith("+")


def to_ascii(text: str) -> str:
    """The same in ASCII, as far as it is digits, separators and a plus; without invisible marks."""
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
    """The number that is meant, if there can be one: as dialled in the region, or abroad and without its "+"."""
    here = parse_number(spelling, region)
    if here is None:
        return None
    length = phonenumbers.is_possible_number_with_reason(here)
    if length in TOO_SHORT:  # as short codes are; of whole numbers only Canada's 310-xxxx
        return here if phonenumbers.is_valid_number(here) else None
    is_possible = length == ValidationResult.IS_POSSIBLE
    digits = NO_DIGIT.sub("", spelling) if spelling.isascii() else phonenumbers.normalize_digits_only(spelling)
    if is_possible and phonenumbers.national_significant_number(here) != digits:
        return here  # with "+" or a prefix of the region: 8 123 456-78-90 is Russian, and no Japanese number
    abroad = parse_number(f"+{digits.removeprefix('00')}", region)
    if is_possible:
        return abroad if abroad and is_likelier(abroad, here) else here
    return abroad if abroad and phonenumbers.is_possible_number(abroad) else None


def is_likelier(abroad: PhoneNumber, here: PhoneNumber) -> bool:
    """Whether bare digits are rather a whole number without its "+" than one dialled in the region.

    They are, when only so they are assigned (4791234567 is Norwegian, not Russian), or when they begin with the
    region's own country code: 4915123456789 is a German mobile, though 04915 123456789 could be dialled there.
    """
    is_own = abroad.country_code == here.country_code
    return phonenumbers.is_valid_number(abroad) and (is_own or not phonenumbers.is_valid_number(here))


def parse_number(spelling: str, region: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(spelling, region)
    except phonenumbers.NumberParseException:
        return None
    return None if number.extension else number  # what we do not take for one: 1234567,8


def normalise_email(raw: str) -> str:
    """Trimmed, lower case, international domains in Unicode. Syntax only, no look-up. Raises Unreadable."""
    try:
        return email_validator.validate_email(trim_identity(raw).lower(), check_deliverability=False).normalized
    except email_validator.EmailNotValidError as error:
        sentence = _("“%(raw)s” is not a valid e-mail address (expected name@example.com).")
        raise Unreadable(sentence % {"raw": raw}) from error


def trim_identity(raw: str) -> str:
    """What was written, without what surrounds it. Raises Unreadable for what the database cannot keep."""
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
