"""Ids: the database's 64-bit integers, and which texts from outside may be one."""

LARGEST = 2**63 - 1


def is_id(text: str) -> bool:
    """Whether the text is a number that any database can look up as an id."""
    return text.isascii() and text.isdecimal() and len(text) < len(str(LARGEST))
