"""How long the texts of a contact may be, and of what, through whichever door they come."""

import re
from collections.abc import Iterator, Mapping

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
    """What no database column takes, by field. PostgreSQL stores neither NUL nor halves of surrogate pairs."""
    for field, text in texts.items():
        if text is None:
            continue
        longest = LONGEST.get(field)
        if longest is not None and len(text) > longest:
            yield FieldError(field, "max_length", f"{field} has {len(text)} characters, {longest} are allowed.")
        if "\0" in text:
            yield FieldError(field, "null_characters_not_allowed", f"{field} contains a NUL character.")
        if SURROGATE.search(text):
            yield FieldError(field, "surrogate_characters_not_allowed", f"{field} contains half of a character.")
