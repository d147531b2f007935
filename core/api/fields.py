from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

# Something else than blanks, for Python and for the schema's JavaScript: each knows blanks that the other does not.
NOT_BLANK = r"[^\s\x1c-\x1f\x85\ufeff]"


@extend_schema_field({"type": "string", "format": "phone", "minLength": 1, "maxLength": 20})
class PhoneField(serializers.CharField):
    """As people write phone numbers; what cannot be one is refused by the verb that reads it."""


@extend_schema_field({"type": "string", "format": "idn-email", "minLength": 1, "maxLength": 254})
class EmailField(serializers.CharField):
    """As people write e-mail addresses; likewise."""


@extend_schema_field({"type": "string", "format": "country", "minLength": 2, "maxLength": 2})
class CountryField(serializers.CharField):
    """ISO 3166-1, two capital letters."""


def format_utc(at: datetime) -> str:
    """ISO 8601 in UTC with `Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


class UTCDateTimeField(serializers.DateTimeField):
    """ISO 8601 in UTC with `Z`, whatever time zone the back-office shows."""

    def __init__(self, *, allow_null: bool = False) -> None:
        super().__init__(default_timezone=UTC, read_only=True, allow_null=allow_null)


def validate_year(moment: datetime) -> None:
    """Refuses moments that another time zone would push out of the calendar."""
    if not 1 < moment.year < 9999:
        raise ValidationError("There is no such moment.")
