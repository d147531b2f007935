from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from rest_framework import serializers


class Moment(serializers.DateTimeField):
    """ISO 8601 in UTC with `Z`, whatever time zone the back-office shows."""

    def __init__(self) -> None:
        super().__init__(default_timezone=UTC, read_only=True)


def within_calendar(moment: datetime) -> None:
    """Refuses moments that another time zone would push out of the calendar."""
    if not 1 < moment.year < 9999:
        raise ValidationError("There is no such moment.")
