"""Finds what people type: a phone however it is written, an e-mail, a part of a name."""

from functools import reduce
from operator import or_

from django.db.models import Q


def name_contains(term: str, field: str = "name") -> Q:
    """A part of a name in any case. SQLite folds the case of ASCII only, so the usual spellings are tried as well."""
    spellings = {term, term.lower(), term.upper(), term.title()}
    return reduce(or_, (Q(**{f"{field}__icontains": spelling}) for spelling in spellings))
