"""Finds what people type: a phone however it is written, an e-mail, a part of a name."""

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

Ids = QuerySet[Any, Any]  # to be asked for with `pk__in`


def identities_like(term: str) -> Q:
    """Identities that may be meant by a phone, a part of one, an e-mail, a part of one, or an id in a channel."""
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
    """The number as it is stored, or as typed when it is not a whole number."""
    try:
        return normalise_typed_phone(phone)
    except Unreadable:
        return phone


def normalise_typed_phone(phone: str) -> str:
    """One spelling for all; without "+" it is read in the service's region. Raises Unreadable."""
    return identities.normalise_phone(phone, settings.PHONE_REGION)


def is_id(term: str) -> bool:
    """Whether the term may be somebody's number in the database."""
    return term.isascii() and term.isdigit() and len(term) < 19


def has_identity(value: str, kind: Identity.Kind) -> Q:
    """The lead that has exactly this identity, in its one spelling."""
    return Q(pk__in=Identity.objects.filter(kind=kind, value=value, source__isnull=True).values("lead"))


def leads_matching(term: str) -> Q:
    """Leads that may be meant."""
    return Q(pk__in=matching_lead_ids(term))


def leads_matching_or_with_id(term: str) -> Q:
    """The same, and the lead of this number."""
    return Q(pk__in=matching_lead_ids(term).union(ids_equal_to(Lead, term)))


def contacts_matching_or_with_id(term: str) -> Q:
    """Contacts of leads that may be meant, and the contact of this number."""
    return Q(
        pk__in=Contact.objects.filter(lead__in=matching_lead_ids(term)).values("pk").union(ids_equal_to(Contact, term))
    )


def matching_lead_ids(term: str) -> Ids:
    """The ids of leads that may be meant. A union and no OR, here and above: each part of it has its own index."""
    term = term.strip()
    known = Identity.objects.filter(identities_like(term)).values("lead")
    return Lead.objects.filter(name_contains(term)).values("pk").union(known)


def ids_equal_to(model: type[Contact | Lead], term: str) -> Ids:
    """The one with this number, if it can be one."""
    rows = model._default_manager.values("pk")
    return rows.filter(pk=int(term)) if is_id(term) else rows.none()
