from collections.abc import Callable

import django_filters
from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema_field

from leads import identities, search
from leads.identities import Unreadable
from leads.models import Identity, Lead, LeadQuerySet


def validate_with(read: Callable[[str], str]) -> Callable[[str], None]:
    """A validator that rejects text which `read` cannot read."""

    def check(text: str) -> None:
        try:
            read(text)
        except Unreadable as error:  # as a parameter, because the sent text may contain "%"
            raise ValidationError("%(reason)s", code="invalid", params={"reason": str(error)}) from error

    return check


@extend_schema_field({"type": "string", "format": "phone"})
class PhoneFilter(django_filters.CharFilter): ...


@extend_schema_field({"type": "string", "format": "idn-email"})
class EmailFilter(django_filters.CharFilter): ...


class LeadFilter(django_filters.FilterSet):
    phone = PhoneFilter(
        method="with_phone",
        validators=[validate_with(search.normalise_typed_phone)],
        help_text="In any spelling; one lead at most.",
    )
    email = EmailFilter(method="with_email", validators=[validate_with(identities.normalise_email)])
    search = django_filters.CharFilter(method="like", help_text="A phone, an e-mail or a name, or a part of it.")

    class Meta:
        model = Lead
        fields: list[str] = []

    def with_phone(self, leads: LeadQuerySet, name: str, phone: str) -> LeadQuerySet:
        return leads.filter(search.has_identity(search.normalise_typed_phone(phone), Identity.Kind.PHONE))

    def with_email(self, leads: LeadQuerySet, name: str, email: str) -> LeadQuerySet:
        return leads.filter(search.has_identity(identities.normalise_email(email), Identity.Kind.EMAIL))

    def like(self, leads: LeadQuerySet, name: str, term: str) -> LeadQuerySet:
        return leads.filter(search.leads_matching(term))
