from datetime import datetime
from typing import Any

import django_filters
from django.db.models import Q
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field

from core.api.caller import own_source_id
from core.api.filters import YES, FlagFilter, MomentFilter, MomentFormField
from core.api.ids import IdFilter
from core.changes.models import ChangeQuerySet
from core.errors import Unknown
from core.ids import is_id
from leads import lead_lookup, search
from routing.models import Contact, ContactQuerySet


class PeriodFilter(MomentFilter):
    def __init__(self, lookup_expr: str) -> None:
        super().__init__(field_name="created_at", lookup_expr=lookup_expr)

    def filter(self, contacts: ContactQuerySet, moment: datetime | None) -> ContactQuerySet:
        if moment is None:
            return contacts
        found: ContactQuerySet = super().filter(contacts, moment)
        return found.order_by("-created_at", "-id")  # ordered by id, the query would scan all contacts, newest first


class ContactFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=Contact.Status.choices, method="with_status")
    overdue = FlagFilter(method="with_due_moment_passed", help_text="Not taken in time, and still with the operator.")
    source_id = IdFilter()
    operator_id = IdFilter()
    lead_id = IdFilter(method="of_lead")
    created_after = PeriodFilter("gte")
    created_before = PeriodFilter("lt")
    search = django_filters.CharFilter(
        method="like",
        help_text="Words of the message, a part of the client's name, phone, e-mail or id, or the operator's name.",
    )

    class Meta:
        model = Contact
        fields: list[str] = []

    def with_status(self, contacts: ContactQuerySet, name: str, status: str) -> ContactQuerySet:
        return contacts.with_status(Contact.Status(status))

    def with_due_moment_passed(self, contacts: ContactQuerySet, name: str, value: str) -> ContactQuerySet:
        if value == YES:
            return contacts.overdue()
        return contacts.filter(Q(due_at__isnull=True) | Q(due_at__gt=timezone.now()))

    def like(self, contacts: ContactQuerySet, name: str, term: str) -> ContactQuerySet:
        source_id = own_source_id(self.request)
        if source_id is not None:
            return contacts.filter(search.contacts_matching_for_source(term, source_id))
        return contacts.filter(search.contacts_matching(term))

    def of_lead(self, contacts: ContactQuerySet, name: str, lead_id: int) -> ContactQuerySet:
        try:
            return contacts.filter(lead=lead_lookup.find_lead(lead_id))
        except Unknown:
            return contacts.none()


class PlaceFormField(MomentFormField):
    """The id of a change, or a moment."""

    def to_python(self, value: Any) -> Any:
        return int(value) if isinstance(value, str) and is_id(value) else super().to_python(value)


@extend_schema_field({"type": "string", "format": "id-or-date-time"})
class PlaceFilter(django_filters.Filter):
    field_class = PlaceFormField

    def filter(self, changes: ChangeQuerySet, place: int | datetime | None) -> ChangeQuerySet:
        if place is None:
            return changes
        return changes.filter(pk__gt=place) if isinstance(place, int) else changes.filter(at__gt=place)


class ChangeFilter(django_filters.FilterSet):
    operator_id = IdFilter(method="of_operator", help_text="Changes of this operator, also of its weights.")
    source_id = IdFilter(help_text="Changes of this source, also of its roster.")
    after = PlaceFilter(help_text="Only changes after this one (its id), or after this moment.")

    def of_operator(self, changes: ChangeQuerySet, name: str, operator_id: int) -> ChangeQuerySet:
        return changes.of_operator(operator_id)
