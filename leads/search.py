"""Finds what people type: a phone however it is written, an e-mail, a part of a name."""

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from core.db.search import by_name
from leads import identities
from leads.identities import Unreadable
from leads.models import Identity, Lead
from routing.models import Contact

DIALLED = frozenset("0123456789+-(). \u00a0")
FEWEST_DIGITS = 3

Ids = QuerySet[Any, Any]  # to be asked for with `pk__in`


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


def leads_like(term: str) -> Q:
    """Leads that may be meant."""
    return Q(pk__in=who(term))


def leads_like_or_numbered(term: str) -> Q:
    """The same, and the lead of this number."""
    return Q(pk__in=who(term).union(numbered(Lead, term)))


def contacts_like_or_numbered(term: str) -> Q:
    """Contacts of leads that may be meant, and the contact of this number."""
    return Q(pk__in=Contact.objects.filter(lead__in=who(term)).values("pk").union(numbered(Contact, term)))


def who(term: str) -> Ids:
    """The ids of leads that may be meant. A union and no OR, here and above: each part of it has its own index."""
    term = term.strip()
    known = Identity.objects.filter(identities_like(term)).values("lead")
    return Lead.objects.filter(by_name(term)).values("pk").union(known)


def numbered(model: type[Contact | Lead], term: str) -> Ids:
    """The one with this number, if it can be one."""
    rows = model._default_manager.values("pk")
    return rows.filter(pk=int(term)) if is_number(term) else rows.none()
