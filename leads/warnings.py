"""What was wrong with the input of a contact that was registered all the same, kept with the contact.

A contact's `warnings` are stored as `[{"field", "code", "text"}]`: the name of the field as the caller wrote it, a code
for programs, and the text that was set aside, or "". Null if there are none.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext_lazy

from core.errors import FieldError
from routing.models import Contact

Stored = list[dict[str, str]]

LONGEST_KEPT = 254  # characters of a text that was set aside

UNREADABLE = "unreadable"
PLACEHOLDER = "placeholder"
REPLACED = "replaced"
CUT = "cut"
CODES = [UNREADABLE, PLACEHOLDER, REPLACED, CUT]

DETAILS = {
    (PLACEHOLDER, "lead_phone"): gettext_lazy("“%(text)s” stands for a missing value: no phone number was given."),
    (PLACEHOLDER, "lead_email"): gettext_lazy("“%(text)s” stands for a missing value: no e-mail address was given."),
    (PLACEHOLDER, "lead_external_id"): gettext_lazy(
        "“%(text)s” stands for a missing value: no id in a channel was given."
    ),
    (PLACEHOLDER, "lead_name"): gettext_lazy("“%(text)s” stands for a missing value: no name was given."),
    (UNREADABLE, "lead_phone"): gettext_lazy("“%(text)s” cannot be a phone number. It is kept with the contact."),
    (UNREADABLE, "lead_email"): gettext_lazy("“%(text)s” cannot be an e-mail address. It is kept with the contact."),
    (UNREADABLE, "lead_external_id"): gettext_lazy(
        "“%(text)s” cannot be an id in a channel. It is kept with the contact."
    ),
    (REPLACED, "message"): gettext_lazy("The message had characters that cannot be stored; they became U+FFFD."),
    (REPLACED, "lead_name"): gettext_lazy("The name had characters that cannot be stored; they became U+FFFD."),
    (CUT, "message"): gettext_lazy("The message was too long; its end was cut off."),
}


class Warned(NamedTuple):
    """One warning; `text` is what was set aside."""

    field: str
    code: str
    text: str = ""


def stored_warnings(warned: Iterable[Warned]) -> Stored | None:
    """The value of a contact's `warnings`."""
    return [one._asdict() | {"text": one.text[:LONGEST_KEPT]} for one in warned] or None


def list_warnings(contact: Contact) -> list[FieldError]:
    """The warnings of this contact, as `describe_warnings` gives them."""
    return describe_warnings(Warned(**one) for one in contact.warnings or ())


def describe_warnings(warned: Iterable[Warned]) -> list[FieldError]:
    """The warnings with a sentence each, in the active language."""
    return [FieldError(one.field, one.code, detail_of(one)) for one in warned]


def detail_of(warned: Warned) -> str:
    return str(DETAILS[warned.code, warned.field]) % warned._asdict()
