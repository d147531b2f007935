"""Reads the texts that people and programs send: what is blank, what can be stored, and numbers in place of text."""

import re
from itertools import chain

# Characters that show nothing, as ranges: blanks, controls (without NUL, which no database stores), and Unicode's
# Default_Ignorable_Code_Point, such as zero-width spaces, directions of writing and fillers.
BLANK = (
    ("\x01", "\x20"),
    ("\x7f", "\xa0"),
    ("\xad", "\xad"),
    ("\u061c", "\u061c"),
    ("\u115f", "\u1160"),
    ("\u1680", "\u1680"),
    ("\u180e", "\u180e"),
    ("\u2000", "\u200f"),
    ("\u2028", "\u202f"),
    ("\u205f", "\u206f"),
    ("\u2800", "\u2800"),  # Braille without dots
    ("\u3000", "\u3000"),
    ("\u3164", "\u3164"),
    ("\ufeff", "\ufeff"),
    ("\uffa0", "\uffa0"),
    ("\ufff0", "\ufff8"),
    ("\U0001bca0", "\U0001bca3"),
    ("\U0001d173", "\U0001d17a"),
)
# These show nothing either, but change the character before them: at the end of a text they belong to it.
MODIFIERS = (
    ("\u034f", "\u034f"),
    ("\u17b4", "\u17b5"),
    ("\u180b", "\u180d"),
    ("\u180f", "\u180f"),
    ("\ufe00", "\ufe0f"),
    ("\U000e0000", "\U000e0fff"),
)


SHOWS_SOMETHING = re.compile("[^{}]".format("".join(f"{first}-{last}" for first, last in BLANK + MODIFIERS)))
# The same for the schema, in escapes that every kind of regular expression knows: so without the rare characters that
# need more than four digits, which are blank all the same.
NOT_BLANK = "[^{}]".format(
    "".join(f"\\u{ord(first):04x}-\\u{ord(last):04x}" for first, last in BLANK + MODIFIERS if last <= "\uffff")
)
EDGES = "".join(map(chr, chain.from_iterable(range(ord(first), ord(last) + 1) for first, last in BLANK)))

UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL stores neither NUL nor lone surrogates
REPLACEMENT = "\ufffd"

EXACT = 2**53  # a float of this size or more may stand for several whole numbers
NUMBER = re.compile(r"(\d+)(?:[.,](\d+))?(?:e\+(\d{2,3}))?", re.ASCII | re.IGNORECASE)


def is_blank(text: str) -> bool:
    """Whether the text shows nothing: neither letters nor digits nor signs."""
    return not SHOWS_SOMETHING.search(text)


def trim(text: str) -> str:
    """The text without blanks and invisible characters at its ends; empty if it is blank."""
    trimmed = text.strip(EDGES)
    return trimmed if SHOWS_SOMETHING.search(trimmed) else ""


def replace_unstorable(text: str) -> str:
    """The text with U+FFFD for each NUL and each half of a surrogate pair."""
    return UNSTORABLE.sub(REPLACEMENT, text)


def number_as_text(number: int | float) -> str:
    """The digits of a whole number: 123, 123.0 and 1.23e2 are "123". Raises ValueError for a fraction, and for a float
    that may have lost digits."""
    if isinstance(number, float):
        if not number.is_integer() or abs(number) >= EXACT:
            raise ValueError("not a whole number, or not exact")
        number = int(number)
    return str(number)


def whole_number(text: str) -> str:
    """The digits, if a program has written a whole number in decimal or scientific form: "123.0", "1.23E+02".

    Any other text is returned unchanged. Raises ValueError if the scientific form has lost digits: 3.8E+11.
    """
    found = NUMBER.fullmatch(text)
    if found is None:
        return text
    whole, fraction, exponent = found.groups(default="")
    shift = int(exponent or 0)
    if exponent and (len(whole) > 1 or shift > len(fraction)):
        raise ValueError("digits are missing")
    rest = fraction[shift:]
    if rest.strip("0"):
        if exponent:
            raise ValueError("a fraction")
        return text
    return whole + fraction[:shift]
