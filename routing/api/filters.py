from datetime import UTC, datetime

import django_filters

from core.api.fields import validate_year
from core.api.ids import IdFilter
from core.errors import Unknown
from leads import lead_lookup
from routing.models import Contact, ContactQuerySet


class MomentFilter(django_filters.IsoDateTimeFilter):
    """Converts to UTC before the query: PostgreSQL rejects offsets of 16 hours and more, which ISO 8601 allows."""

    def __init__(self, lookup_expr: str) -> None:
        super().__init__(field_name="created_at", lookup_expr=lookup_expr, validators=[validate_year])

    def filter(self, contacts: ContactQuerySet, moment: datetime | None) -> ContactQuerySet:
        if moment is None:
            return contacts
        found: ContactQuerySet = super().filter(contacts, moment.astimezone(UTC))
        return found.order_by("-created_at", "-id")  # ordered by id, the query would scan all contacts, newest first


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
            return contacts.filter(lead=lead_lookup.find_lead(lead_id))
        except Unknown:
            return contacts.none()
