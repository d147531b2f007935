"""Reads phone numbers: however a number is written, it is the same number."""

import re
import unicodedata
from collections.abc import Iterable

import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumber, PhoneNumberFormat, ValidationResult

from core import text
from leads.identities import Claim, Unreadable, trim_identity
from leads.models import EXTENSION, Identity
from routing.models import WHOLE_NUMBERS

NO_DIGIT = re.compile("[^0-9]")
TOO_SHORT = (ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY)
LONGEST_LOCAL = 7  # digits that are dialled within a town, without its code
BARE_OR_DIALLED_ABROAD = re.compile(r"[0-9]+[ .-]*|00[^,;]*")
WITH_PLUS = re.compile(r"[^0-9+]*\+")
# What a program appends to a number that it takes for a decimal one, also if the number has blanks: 50 123 45 67.0
DECIMAL_TAIL = re.compile(r"(.*\d)\s*([.,])0{1,2}\s*")
FRACTION = re.compile(r"\d+[.,]\d+", re.ASCII)
AFTER_COUNTRY_CODE = re.compile(r"\d{1,3}\.\d+")  # after a "+", as domain registrars write: +1.2025550123
EXTENSION_AS_WRITTEN = re.compile(r"[\s,;(]*(?:ext[a-z]*|доб[а-я]*|вн[а-я]*|[xх#]|,,)[\s.:=-]*(\d{1,20})[#)\s]*$")

# Two spellings of one subscriber, of which the network knows one: Argentina dials mobiles with 9 from abroad, Brazil
# has added a 9 to its mobiles. They cannot be told from two numbers for sure.
LOOKALIKES = [
    (re.compile(r"\+549([1-3]\d{9})"), r"+54\1"),
    (re.compile(r"\+54([1-3]\d{9})"), r"+549\1"),
    (re.compile(r"\+55(\d\d)9([6-9]\d{7})"), r"+55\1\2"),
    (re.compile(r"\+55(\d\d)([6-9]\d{7})"), r"+55\g<1>9\2"),
]
MEXICO, OLD_MEXICAN_MOBILE = 52, range(10**10, 2 * 10**10)  # with a 1 before ten digits


def read_phone(raw: str, region: str) -> Claim:
    return Claim(Identity.Kind.PHONE, normalise_phone(raw, region), raw)


def lookalikes_of(claim: Claim) -> list[Claim]:
    """The other spellings of what may be the same subscriber."""
    found = ((spelling.fullmatch(claim.value), other) for spelling, other in LOOKALIKES)
    return [Claim(claim.kind, match.expand(other), claim.raw) for match, other in found if match]


def all_lookalikes(claims: Iterable[Claim]) -> list[Claim]:
    return [other for claim in claims for other in lookalikes_of(claim)]


def normalise_phone(raw: str, region: str) -> str:
    """E.164, such as +79991234567; with an extension, +74951234567;ext=12 (RFC 3966).

    Without a leading "+" the number is read as dialled in `region` (ISO 3166-1), or as whole if that is WHOLE_NUMBERS.
    Possible numbers are accepted, assigned or not, so that no lead is lost because of an outdated numbering table.
    Raises Unreadable.
    """
    written = read_digits(to_ascii(trim_identity(raw)).lower().removeprefix("tel:"), raw)
    extension = EXTENSION_AS_WRITTEN.search(written)
    spelling = written[: extension.start()] if extension else written
    if any(map(str.isalpha, spelling)):
        raise Unreadable(_("“%(raw)s” is not a valid phone number: it contains letters.") % {"raw": raw})
    number = read_number(spelling, region)
    tail = DECIMAL_TAIL.fullmatch(spelling)
    if tail and tail[2] not in tail[1]:
        shorter = read_number(tail[1], region)
        # 8 495 123 45.00 has its last group set apart: it exists only as a whole.
        if shorter and (phonenumbers.is_valid_number(shorter) or not (number and phonenumbers.is_valid_number(number))):
            number = shorter
    if number is None:
        raise Unreadable(_("“%(raw)s” is not a valid phone number (expected +79991234567).") % {"raw": raw})
    value = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if extension:
        value += EXTENSION + extension[1]
    # Normalising must be idempotent: each pass removes one zero of +49 00 30 ...
    return value if value == written else normalise_phone(value, region)


def read_digits(written: str, raw: str) -> str:
    """The digits if a program has written the number as 79991234567.0, also after a "+". Raises Unreadable for a
    fraction, and where digits are lost: 7.99912E+10."""
    plus = "+" if written.startswith("+") else ""
    try:
        number = text.whole_number(written.removeprefix(plus))
        is_decimal = bool(FRACTION.fullmatch(number)) and not (plus and AFTER_COUNTRY_CODE.fullmatch(number))
    except ValueError:
        is_decimal = True
    if is_decimal:
        raise Unreadable(_("“%(raw)s” is not a valid phone number: it is a decimal number.") % {"raw": raw})
    return plus + number


def is_international(raw: str) -> bool:
    """Whether the number is written with "+" and country code, so that it is the same in every region."""
    return bool(WITH_PLUS.match(to_ascii(raw)))


def to_ascii(written: str) -> str:
    """Converts digits, separators and plus signs to ASCII; removes invisible characters."""
    return written if written.isascii() else "".join(map(to_ascii_character, written))


def to_ascii_character(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character.isspace():
        return " "
    if text.is_blank(character):
        return ""
    if unicodedata.category(character) == "Pd" or character == "ー":  # a Japanese vowel sign, typed for a dash
        return "-"
    if unicodedata.east_asian_width(character) == "F":
        return unicodedata.normalize("NFKC", character)
    return character


def read_number(spelling: str, region: str) -> PhoneNumber | None:
    """Parses a number without letters and extension; None if it cannot be one.

    Without "+" it may be one of the region or, if its country code is written, one from abroad. In this order: the
    one that exists, first with the region's own country code, then as dialled in the region, then from abroad; else
    the one that is possible, first in the region. So 85251234567 is a number of Hong Kong in Russia, where 525 is no
    town.
    """
    if WITH_PLUS.match(spelling):
        number = parse_number(spelling, region)
        return number if number and fits(number) else None
    if region == WHOLE_NUMBERS:
        number = parse_number(f"+{spelling.removeprefix('00')}", region)
        return number if number and fits(number) else None
    here = parse_number(spelling, region)
    if here is None:
        return None
    abroad = parse_number(f"+{NO_DIGIT.sub('', spelling).removeprefix('00')}", region)
    is_own = abroad is not None and abroad.country_code == phonenumbers.country_code_for_region(region)
    if abroad and not is_own and (may_be_meant(here, region) or not is_written_from_abroad(spelling, abroad)):
        abroad = None
    if abroad and phonenumbers.is_valid_number(abroad):
        return abroad
    if fits(here):
        return here
    return abroad if abroad and fits(abroad) else None


def is_written_from_abroad(spelling: str, number: PhoneNumber) -> bool:
    """Whether the number may begin with its country code: in bare digits, after 00, or set apart if it exists.

    What is written in another way, such as 4951234567/68, is dialled at home; it is no German number. Nor is 800 123
    an international one: it is free of charge at home.
    """
    if BARE_OR_DIALLED_ABROAD.fullmatch(spelling):
        return True
    code = number.country_code
    is_apart = re.fullmatch(f"{code}[^0-9/][^/]*", spelling) and phonenumbers.region_code_for_number(number) != "001"
    return bool(is_apart) and phonenumbers.is_valid_number(number)


def fits(number: PhoneNumber) -> bool:
    """Whether the number can be dialled from abroad. Of the numbers that are too short, Canada's 310-xxxx can."""
    is_complete = phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE
    return is_complete or phonenumbers.is_valid_number(number)


def may_be_meant(here: PhoneNumber, region: str) -> bool:
    """Whether the number exists in the region, is dialled within a town there, or lacks only a digit of one there.

    Nearly all digits after 49 are a number of Germany, so a digit that is missing would make Germans of Muscovites.
    """
    if phonenumbers.is_valid_number(here):
        return True
    digits = str(here.national_number)
    if phonenumbers.is_possible_number_with_reason(here) not in TOO_SHORT:
        return False
    longer = (parse_number(digits + digit, region) for digit in "0123456789")
    return len(digits) <= LONGEST_LOCAL or any(number and phonenumbers.is_valid_number(number) for number in longer)


def parse_number(spelling: str, region: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(spelling, region)
    except phonenumbers.NumberParseException:
        return None
    subscriber = number.national_number or 0
    if number.country_code == MEXICO and subscriber in OLD_MEXICAN_MOBILE:
        number.national_number = subscriber - OLD_MEXICAN_MOBILE.start  # WhatsApp sends the 1 that Mexico gave up
    return None if number.extension else number  # rejects what phonenumbers reads as an extension: 1234567,8
