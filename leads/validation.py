"""Lengths and characters that the texts of a contact may have, for the API and the import."""

import re
from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from core.errors import FieldError

LONGEST = {  # characters; a message may be of any length
    "lead_phone": 20,
    "lead_email": 254,
    "lead_external_id": 200,
    "lead_name": 255,
    "idempotency_key": 255,
}

SURROGATE = re.compile("[\ud800-\udfff]")


def find_text_errors(texts: Mapping[str, str | None]) -> Iterator[FieldError]:
    """Texts that no database column accepts, by field. PostgreSQL stores neither NUL nor lone surrogates."""
    for field, text in texts.items():
        if text is None:
            continue
        longest = LONGEST.get(field)
        if longest is not None and len(text) > longest:
            sentence = _("%(field)s has %(length)s characters; at most %(longest)s are allowed.")
            found = {"field": field, "length": len(text), "longest": longest}
            yield FieldError(field, "max_length", sentence % found)
        if "\0" in text:
            yield FieldError(
                field, "null_characters_not_allowed", _("%(field)s contains a NUL character.") % {"field": field}
            )
        if SURROGATE.search(text):
            sentence = _("%(field)s contains half a surrogate pair.")
            yield FieldError(field, "surrogate_characters_not_allowed", sentence % {"field": field})
