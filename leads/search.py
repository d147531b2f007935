"""Finds what people type: a phone however it is written, an e-mail, a part of a name."""

from functools import reduce
from operator import or_

from django.conf import settings
from django.db.models import Q

from leads import identities
from leads.identities import Unreadable
from leads.models import Identity

DIALLED = frozenset("0123456789+-(). \u00a0")
FEWEST_DIGITS = 3


def by_name(term: str, field: str = "name") -> Q:
    """A part of a name in any case. SQLite folds the case of ASCII only, so the usual spellings are tried as well."""
    spellings = {term, term.lower(), term.upper(), term.title()}
    return reduce(or_, (Q(**{f"{field}__icontains": spelling}) for spelling in spellings))


def identities_like(term: str) -> Q:
    """Identities that may be meant by a phone, a part of one, an e-mail, a part of one, or an id in a channel."""
    term = term.strip()
    found = Q(kind=Identity.Kind.EXTERNAL, value=term)
    digits = "".join(filter(str.isdigit, term))
    if len(digits) >= FEWEST_DIGITS and set(term) <= DIALLED:
        found |= Q(kind=Identity.Kind.PHONE, value__contains=digits)
        found |= Q(kind=Identity.Kind.PHONE, value__startswith=spelled(term))  # with any extension
    elif "@" in term:
        found |= Q(kind=Identity.Kind.EMAIL, value__contains=term.lower())
    return found


def spelled(phone: str) -> str:
    """The number as it is stored, or as typed when it is not a whole number."""
    try:
        return as_stored(phone)
    except Unreadable:
        return phone


def as_stored(phone: str) -> str:
    """One spelling for all; without "+" it is read in the service's region. Raises Unreadable."""
    return identities.normal_phone(phone, settings.PHONE_REGION)


def is_number(term: str) -> bool:
    """Whether the term may be somebody's number in the database."""
    return term.isascii() and term.isdigit() and len(term) < 19


def known_by(value: str, kind: Identity.Kind) -> Q:
    """The lead that has exactly this identity, in its one spelling."""
    return Q(pk__in=Identity.objects.filter(kind=kind, value=value, source__isnull=True).values("lead"))


def leads_like(term: str, path: str = "") -> Q:
    """Leads that may be meant. `path` leads to the lead, such as "lead__"."""
    term = term.strip()
    lead_ids = Identity.objects.filter(identities_like(term)).values("lead")
    return by_name(term, f"{path}name") | Q(**{f"{path}pk__in": lead_ids})


def numbered(term: str) -> Q:
    return Q(pk=int(term))
