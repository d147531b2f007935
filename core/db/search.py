"""Case-insensitive search for a part of a name."""

from functools import reduce
from operator import or_

from django.db.models import Q


def name_contains(term: str, field: str = "name") -> Q:
    """Matches a part of a name in any case. SQLite folds ASCII only, so the usual spellings are tried as well."""
    spellings = {term, term.lower(), term.upper(), term.title()}
    return reduce(or_, (Q(**{f"{field}__icontains": spelling}) for spelling in spellings))
