from datetime import UTC, datetime


def format_utc(at: datetime) -> str:
    """ISO 8601 in UTC with `Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
