import django_filters

from leads.api.fields import within_calendar
from leads.api.ids import IdFilter
from leads.models import Contact, ContactQuerySet


class ContactFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=Contact.Status.choices, method="with_status")
    source_id = IdFilter()
    operator_id = IdFilter()
    lead_id = IdFilter()
    created_after = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="gte", validators=[within_calendar]
    )
    created_before = django_filters.IsoDateTimeFilter(
        field_name="created_at", lookup_expr="lt", validators=[within_calendar]
    )

    class Meta:
        model = Contact
        fields: list[str] = []

    def with_status(self, contacts: ContactQuerySet, name: str, status: str) -> ContactQuerySet:
        return contacts.with_status(Contact.Status(status))
