"""Finds leads and contacts by what people type: a part of a phone in any spelling, of an e-mail, of an id or of a name,
words of a message, or a number."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from functools import reduce
from operator import or_
from typing import Any

import phonenumbers
from django.conf import settings
from django.db.models import Q, QuerySet

from core.db.search import NOTHING, begins_words, contains, contains_words
from core.ids import is_id
from leads import identities, phones
from leads.identities import Unreadable
from leads.models import Identity, Lead
from operators.models import Operator
from routing.models import WHOLE_NUMBERS, Contact, Source

FEWEST_DIGITS = 3
FEW = 500  # ids that are named in a query

Ids = QuerySet[Any, Any]  # for use with `pk__in`


def leads_matching(term: str) -> Q:
    """Matches leads by a part of an identity or of the name, or by words of a message."""
    return among(lead_ids(term))


def leads_matching_or_with_id(term: str) -> Q:
    """The same, or the lead with this number."""
    return among(lead_ids(term)) | id_equal_to(term)


def contacts_matching(term: str) -> Q:
    """Matches contacts by words of the message, by their lead's identity or name, or by their operator's name."""
    return among(contact_ids(term, person_ids(term)))


def contacts_matching_or_with_id(term: str) -> Q:
    """The same, or the contact with this number."""
    return contacts_matching(term) | id_equal_to(term)


def contacts_matching_for_source(term: str, source_id: int) -> Q:
    """The same for a caller who sees one source only: a lead is found by identities that were given there, and not by
    its name. What other sources know of it could be guessed piece by piece otherwise."""
    given_there = Identity.objects.filter(identities_like(term), added_through=source_id)
    return among(contact_ids(term, given_there.values_list("lead", flat=True)))


def among(ids: Ids) -> Q:
    """Matches rows with these ids. Few are named one by one: PostgreSQL expects a search to find many more than it
    does, and would go through the whole table instead of looking them up. Ordered, because with the limit alone it
    would go through the table to find the first ones soon."""
    found = list(ids.order_by("-pk")[: FEW + 1])
    return Q(pk__in=found if len(found) <= FEW else ids)


def person_ids(term: str) -> Ids:
    """Ids of leads with this part of an identity or of the name. A union instead of OR, here and below: each part has
    its own index."""
    named = Lead.objects.filter(words_in("name", term)).values_list("pk", flat=True)
    return named.union(Identity.objects.filter(identities_like(term)).values_list("lead", flat=True), all=True)


def lead_ids(term: str) -> Ids:
    wrote = Contact.objects.filter(message_like(term)).values_list("lead", flat=True)
    return person_ids(term).union(wrote, all=True)


def contact_ids(term: str, people: Ids) -> Ids:
    operators = Operator.objects.filter(words_in("name", term)).values("pk")
    parts = [Q(lead__in=people), Q(operator__in=operators), message_like(term)]
    first, *others = (Contact.objects.filter(part).values_list("pk", flat=True) for part in parts)
    return first.union(*others, all=True)


def id_equal_to(term: str) -> Q:
    """Matches the row with this number; nothing if the term cannot be one."""
    typed = readable(term)
    return Q(pk=int(typed)) if is_id(typed) else NOTHING


def readable(term: str) -> str:
    """The term as an identity is read: dashes, blanks and digits of any kind become those of ASCII, marks vanish."""
    return phones.to_ascii(term).strip()


def words_in(field: str, term: str) -> Q:
    """Matches a text with every word of the term, as typed or with its dashes and blanks as usual."""
    return reduce(or_, (contains_words(spelling, field) for spelling in dict.fromkeys([term, readable(term)])))


def message_like(term: str) -> Q:
    return begins_words(readable(term), "message")


def identities_like(term: str) -> Q:
    """Identities that contain the term, as it is or as a phone in any spelling."""
    typed = readable(term)
    if not typed:
        return NOTHING
    # Every comparison ignores case: on PostgreSQL the index for searches is on upper(value).
    found = contains(typed, "value")
    digits = phones.NO_DIGIT.sub("", typed)
    if len(digits) < FEWEST_DIGITS:
        return found
    if not any(map(str.isalpha, typed)):
        found |= Q(kind=Identity.Kind.PHONE, value__icontains=digits)
    for number in dict.fromkeys([*phones_typed(typed), *phones_begun(digits)]):
        found |= Q(kind=Identity.Kind.PHONE, value__istartswith=number)  # with any extension
    return found


def leads_with_phone(raw: str) -> Q:
    """Matches the leads with this phone, written in any way. Raises Unreadable."""
    found = phones_typed(raw) or [phones.normalise_phone(raw, settings.PHONE_REGION)]
    return has_identity(Identity.Kind.PHONE, found)


def leads_with_email(raw: str) -> Q:
    """Matches the lead with this e-mail, written in any way. Raises Unreadable."""
    return has_identity(Identity.Kind.EMAIL, [identities.normalise_email(raw)])


def has_identity(kind: Identity.Kind, values: Collection[str]) -> Q:
    """Matches the leads with one of these identities; of a shared one also those that have a copy."""
    first = Identity.objects.filter(kind=kind, value__in=values, source__isnull=True, copy_of__isnull=True)
    copies = Identity.objects.filter(copy_of__in=first.values("pk"))
    return Q(pk__in=first.values("lead").union(copies.values("lead"), all=True))


def phones_typed(raw: str) -> list[str]:
    """The phones that this may be, as they are stored: without "+" it is read as every source would read it."""
    found: dict[str, None] = {}
    for region in [WHOLE_NUMBERS] if phones.is_international(raw) else regions():
        with suppress(Unreadable):
            found[phones.normalise_phone(raw, region)] = None
    return list(found)


def phones_begun(digits: str) -> Iterator[str]:
    """The beginnings of numbers that are dialled like this within a country: 8495 is +7495 in Russia."""
    for region in regions():
        prefix = phonenumbers.ndd_prefix_for_region(region, True)
        if prefix and digits.startswith(prefix):
            yield f"+{phonenumbers.country_code_for_region(region)}{digits.removeprefix(prefix)}"


def regions() -> list[str]:
    """Where numbers without "+" are dialled: the service's region, and those of all sources, because a lead may have
    come through any of them."""
    sources = Source.objects.order_by("pk").only("phone_region", "phone_format")
    return list(dict.fromkeys([settings.PHONE_REGION, *(source.region for source in sources)]))
