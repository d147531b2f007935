from collections.abc import Callable

import django_filters
from django.db.models import Q
from drf_spectacular.utils import extend_schema_field

from core.errors import Invalid
from leads import identities, search
from leads.identities import Unreadable
from leads.models import Lead, LeadQuerySet


@extend_schema_field({"type": "string", "format": "phone"})
class PhoneFilter(django_filters.CharFilter): ...


@extend_schema_field({"type": "string", "format": "idn-email"})
class EmailFilter(django_filters.CharFilter): ...


class LeadFilter(django_filters.FilterSet):
    phone = PhoneFilter(
        method="with_phone",
        help_text="In any spelling. Without “+” it is read in every region that sources have.",
    )
    email = EmailFilter(method="with_email")
    search = django_filters.CharFilter(
        method="like", help_text="A part of a phone, an e-mail, an id or a name, or words of a message."
    )

    class Meta:
        model = Lead
        fields: list[str] = []

    def with_phone(self, leads: LeadQuerySet, name: str, phone: str) -> LeadQuerySet:
        return leads.filter(read_or_refuse(search.leads_with_phone, name, phone))

    def with_email(self, leads: LeadQuerySet, name: str, email: str) -> LeadQuerySet:
        return leads.filter(read_or_refuse(search.leads_with_email, name, email))

    def like(self, leads: LeadQuerySet, name: str, term: str) -> LeadQuerySet:
        return leads.filter(search.leads_matching(term))


def read_or_refuse(read: Callable[[str], Q], name: str, text: str) -> Q:
    """The condition that `read` makes of the text. Raises Invalid with the parameter's name if it cannot read it."""
    try:
        return read(text)
    except Unreadable as error:
        raise Invalid(identities.field_error(name, error)) from error
