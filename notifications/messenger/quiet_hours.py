"""Quiet hours of a channel, in the service's TIME_ZONE. They may cross midnight."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings


def quiet_until(now: datetime, begins: time | None, ends: time | None) -> datetime | None:
    """When the quiet hours end that `now` is in; None if it is in none."""
    if begins is None or ends is None:
        return None
    zone = ZoneInfo(settings.TIME_ZONE)  # not that of the page on which somebody acts
    local = now.astimezone(zone)
    is_quiet = begins <= local.time() < ends if begins < ends else not ends <= local.time() < begins
    if not is_quiet:
        return None
    day = local.date() if local.time() < ends else local.date() + timedelta(days=1)
    end = datetime.combine(day, ends, tzinfo=zone)
    # A clock that is put forward in between makes the wall clock jump over the end.
    return max(end, now + timedelta(seconds=1))
