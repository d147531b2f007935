"""Query parameters that several lists have."""

from datetime import UTC, datetime
from typing import Any

import django_filters
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field

from core.api.fields import validate_year

YES, NO = "true", "false"


class MomentFormField(django_filters.fields.IsoDateTimeField):
    def to_python(self, value: Any) -> datetime | None:
        """In UTC. Conversion before the query, because PostgreSQL rejects offsets of 16 hours and more, which ISO 8601
        allows."""
        with timezone.override(UTC):
            moment: datetime | None = super().to_python(value)
        if moment is not None:
            validate_year(moment)
            moment = moment.astimezone(UTC)
        return moment


class MomentFilter(django_filters.IsoDateTimeFilter):
    """A moment, with the same meaning as `MomentField`: without an offset it is UTC, whatever TIME_ZONE says."""

    field_class = MomentFormField


@extend_schema_field({"type": "boolean"})
class FlagFilter(django_filters.ChoiceFilter):
    """`true` or `false`. Refuses anything else, which Django's own field would read as not given."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[(YES, YES), (NO, NO)], **kwargs)


class ArchiveFilter(django_filters.FilterSet):
    """The current rows, or with `?archived=true` those in the archive."""

    archived = FlagFilter(method="unchanged", help_text="True lists the archive instead of the current ones.")

    def unchanged(self, rows: Any, name: str, value: str) -> Any:
        return rows  # decided in `filter_queryset`, also for a request without this parameter

    def filter_queryset(self, queryset: Any) -> Any:
        is_asked_for = self.form.cleaned_data["archived"] == YES
        return super().filter_queryset(queryset.archived() if is_asked_for else queryset.current())
