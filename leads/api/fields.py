from datetime import UTC

from rest_framework import serializers


class Moment(serializers.DateTimeField):
    """ISO 8601 in UTC with `Z`, whatever time zone the back-office shows."""

    def __init__(self) -> None:
        super().__init__(default_timezone=UTC, read_only=True)
