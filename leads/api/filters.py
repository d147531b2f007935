from collections.abc import Callable
from datetime import UTC, datetime

import django_filters
from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema_field

from leads import identities, search, survivors
from leads.api.fields import within_calendar
from leads.api.ids import IdFilter
from leads.identities import Unreadable
from leads.models import Contact, ContactQuerySet, Identity, Lead, LeadQuerySet
from operators.refusals import Unknown


def readable(read: Callable[[str], str]) -> Callable[[str], None]:
    """Refuses what cannot be such an identity."""

    def check(text: str) -> None:
        try:
            read(text)
        except Unreadable as error:  # as a parameter: what was sent may contain "%"
            raise ValidationError("%(reason)s", code="invalid", params={"reason": str(error)}) from error

    return check


@extend_schema_field({"type": "string", "format": "phone"})
class PhoneFilter(django_filters.CharFilter): ...


@extend_schema_field({"type": "string", "format": "idn-email"})
class EmailFilter(django_filters.CharFilter): ...


class MomentFilter(django_filters.IsoDateTimeFilter):
    """In UTC before the database sees it: PostgreSQL knows no offsets of 16 hours and more, ISO 8601 does."""

    def __init__(self, lookup_expr: str) -> None:
        super().__init__(field_name="created_at", lookup_expr=lookup_expr, validators=[within_calendar])

    def filter(self, contacts: ContactQuerySet, moment: datetime | None) -> ContactQuerySet:
        if moment is None:
            return contacts
        found: ContactQuerySet = super().filter(contacts, moment.astimezone(UTC))
        return found.order_by("-created_at", "-id")  # by id the page would be looked for in all contacts, newest first


class ContactFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=Contact.Status.choices, method="with_status")
    source_id = IdFilter()
    operator_id = IdFilter()
    lead_id = IdFilter(method="of_lead")
    created_after = MomentFilter("gte")
    created_before = MomentFilter("lt")

    class Meta:
        model = Contact
        fields: list[str] = []

    def with_status(self, contacts: ContactQuerySet, name: str, status: str) -> ContactQuerySet:
        return contacts.with_status(Contact.Status(status))

    def of_lead(self, contacts: ContactQuerySet, name: str, lead_id: int) -> ContactQuerySet:
        try:
            return contacts.filter(lead=survivors.find(lead_id))
        except Unknown:
            return contacts.none()


class LeadFilter(django_filters.FilterSet):
    phone = PhoneFilter(
        method="with_phone", validators=[readable(search.as_stored)], help_text="In any spelling; one lead at most."
    )
    email = EmailFilter(method="with_email", validators=[readable(identities.normal_email)])
    search = django_filters.CharFilter(method="like", help_text="A phone, an e-mail or a name, or a part of it.")

    class Meta:
        model = Lead
        fields: list[str] = []

    def with_phone(self, leads: LeadQuerySet, name: str, phone: str) -> LeadQuerySet:
        return leads.filter(search.known_by(search.as_stored(phone), Identity.Kind.PHONE))

    def with_email(self, leads: LeadQuerySet, name: str, email: str) -> LeadQuerySet:
        return leads.filter(search.known_by(identities.normal_email(email), Identity.Kind.EMAIL))

    def like(self, leads: LeadQuerySet, name: str, term: str) -> LeadQuerySet:
        return leads.filter(search.leads_like(term))
