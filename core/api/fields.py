from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

# At least one character that is not blank, for Python and for the schema's JavaScript, whose sets of blanks differ.
NOT_BLANK = r"[^\s\x1c-\x1f\x85\ufeff]"


@extend_schema_field({"type": "string", "format": "phone", "minLength": 1, "maxLength": 20})
class PhoneField(serializers.CharField):
    """A phone number in any spelling; the domain function that reads it rejects an invalid one."""


@extend_schema_field({"type": "string", "format": "idn-email", "minLength": 1, "maxLength": 254})
class EmailField(serializers.CharField):
    """An e-mail address in any spelling; the domain function that reads it rejects an invalid one."""


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
    """Rejects times that conversion to another time zone would move out of the supported years."""
    if not 1 < moment.year < 9999:
        raise ValidationError(_("The year must be between 2 and 9998."))
