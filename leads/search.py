"""Searches leads and contacts by phone in any spelling, e-mail, part of a name, or number."""

from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet

from core.db.search import name_contains
from leads import identities
from leads.identities import Unreadable
from leads.models import Identity, Lead
from routing.models import Contact

DIALLED = frozenset("0123456789+-(). \u00a0")
FEWEST_DIGITS = 3

Ids = QuerySet[Any, Any]  # for use with `pk__in`


def identities_like(term: str) -> Q:
    """Identities that match a phone or e-mail, a part of one, or an id in a channel."""
    term = term.strip()
    # Every comparison ignores case: on PostgreSQL the index for searches is on upper(value).
    found = Q(kind=Identity.Kind.EXTERNAL, value__iexact=term)
    digits = "".join(filter(str.isdigit, term))
    if len(digits) >= FEWEST_DIGITS and set(term) <= DIALLED:
        found |= Q(kind=Identity.Kind.PHONE, value__icontains=digits)
        found |= Q(kind=Identity.Kind.PHONE, value__istartswith=phone_prefix(term))  # with any extension
    elif "@" in term:
        found |= Q(kind=Identity.Kind.EMAIL, value__icontains=term)
    return found


def phone_prefix(phone: str) -> str:
    """The number as it is stored, or as typed if it is not a complete number."""
    try:
        return normalise_typed_phone(phone)
    except Unreadable:
        return phone


def normalise_typed_phone(phone: str) -> str:
    """Normalises a typed number; without "+" it is read in the service's region. Raises Unreadable."""
    return identities.normalise_phone(phone, settings.PHONE_REGION)


def is_id(term: str) -> bool:
    """Whether the term may be the id of a row."""
    return term.isascii() and term.isdigit() and len(term) < 19


def has_identity(value: str, kind: Identity.Kind) -> Q:
    """Matches leads with exactly this normalised identity."""
    return Q(pk__in=Identity.objects.filter(kind=kind, value=value, source__isnull=True).values("lead"))


def leads_matching(term: str) -> Q:
    """Matches leads by identity or part of a name."""
    return Q(pk__in=matching_lead_ids(term))


def leads_matching_or_with_id(term: str) -> Q:
    """Matches leads by identity, part of a name, or id."""
    return Q(pk__in=matching_lead_ids(term).union(ids_equal_to(Lead, term)))


def contacts_matching_or_with_id(term: str) -> Q:
    """Matches contacts by their lead's identity or part of its name, or by the contact's own id."""
    return Q(
        pk__in=Contact.objects.filter(lead__in=matching_lead_ids(term)).values("pk").union(ids_equal_to(Contact, term))
    )


def matching_lead_ids(term: str) -> Ids:
    """Ids of leads that match. A union instead of OR, here and above: each part has its own index."""
    term = term.strip()
    known = Identity.objects.filter(identities_like(term)).values("lead")
    return Lead.objects.filter(name_contains(term)).values("pk").union(known)


def ids_equal_to(model: type[Contact | Lead], term: str) -> Ids:
    """The id of the row with this number; empty if the term cannot be an id."""
    rows = model._default_manager.values("pk")
    return rows.filter(pk=int(term)) if is_id(term) else rows.none()
