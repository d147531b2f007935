"""What the texts of a contact may be, for every way in: API, batch and import."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from core import text
from core.errors import FieldError
from leads.warnings import CUT, PLACEHOLDER, REPLACED, Warned

LONGEST = {  # characters
    "lead_phone": 50,
    "lead_email": 254,
    "lead_external_id": 200,
    "lead_name": 255,
    "idempotency_key": 255,
}
LONGEST_MESSAGE = 65_536  # characters: the longest that a messenger sends

# What programs send in place of a missing value. Null and Nan are names of people, null and NaN are not.
MISSING_VALUES = {"null", "undefined", "None", "NaN", "[object Object]"}
MISSING_IDENTITIES = {value.casefold() for value in MISSING_VALUES}


def find_text_errors(texts: Mapping[str, str | None]) -> Iterator[FieldError]:
    """The errors that no other identity makes up for, by field.

    Identities that are too long are judged where they are read; names and messages are mended (`read_name`).
    """
    for field, given in texts.items():
        if given is None or field == "message":
            continue
        if field in ("lead_name", "idempotency_key") and (detail := too_long(field, given)):
            yield FieldError(field, "max_length", detail)
        if field == "lead_name":
            continue
        if "\0" in given:
            detail = _("%(field)s contains a NUL character.") % {"field": field}
            yield FieldError(field, "null_characters_not_allowed", detail)
        elif text.UNSTORABLE.search(given):
            detail = _("%(field)s contains half a surrogate pair.") % {"field": field}
            yield FieldError(field, "surrogate_characters_not_allowed", detail)


def too_long(field: str, given: str) -> str | None:
    """One sentence if the text is longer than the field may be."""
    if len(given) <= LONGEST[field]:
        return None
    sentence = _("%(field)s has %(length)s characters; at most %(longest)s are allowed.")
    return sentence % {"field": field, "length": len(given), "longest": LONGEST[field]}


def is_placeholder(identity: str) -> bool:
    """Whether a program sent this because the variable was empty: null, undefined, {{ phone }}."""
    return text.trim(identity).casefold() in MISSING_IDENTITIES or is_unrendered(identity)


def is_unrendered(given: str) -> bool:
    """Whether the text has {{ }} or ${ }, which a template should have replaced."""
    for start, end in (("{{", "}}"), ("${", "}")):
        place = given.find(start)
        if place >= 0 and end in given[place:]:
            return True
    return False


def read_name(given: str | None, warned: list[Warned]) -> str | None:
    """The name, without blanks around it; None if it names nobody. Adds what was wrong to `warned`."""
    name = text.replace_unstorable(given or "")
    if name != (given or ""):
        warned.append(Warned("lead_name", REPLACED))
    name = text.trim(name)
    if name in MISSING_VALUES or is_unrendered(name):
        warned.append(Warned("lead_name", PLACEHOLDER, name))
        return None
    return None if text.is_blank(name.replace(text.REPLACEMENT, "")) else name


def read_message(given: str | None, warned: list[Warned]) -> str | None:
    """The message as it is stored. Adds what was changed to `warned`."""
    if given is None:
        return None
    message = text.replace_unstorable(given)
    if message != given:
        warned.append(Warned("message", REPLACED))
    if len(message) > LONGEST_MESSAGE:
        warned.append(Warned("message", CUT))
    return message[:LONGEST_MESSAGE]
