"""In which time zone a user sees the pages: that of the profile, else the browser's, else the service's."""

from functools import cache
from zoneinfo import available_timezones

from django.conf import settings
from django.http import HttpRequest

from accounts.sessions import TIME_ZONE

COOKIE = "browser_zone"  # set by time_zone.js


def zone_of_viewer(request: HttpRequest) -> str:
    return chosen_zone(request) or browser_zone(request) or settings.TIME_ZONE


def chosen_zone(request: HttpRequest) -> str:
    """What the profile says, as the session knows it; empty for nothing, or a zone that is no longer known."""
    name: str = request.session.get(TIME_ZONE, "")
    return name if is_zone(name) else ""


def browser_zone(request: HttpRequest) -> str:
    """What the browser says; empty if it says nothing, or no zone that is known here."""
    name = request.COOKIES.get(COOKIE, "")
    return name if is_zone(name) else ""


def is_zone(name: str) -> bool:
    return name in known_zones()


@cache
def known_zones() -> frozenset[str]:
    """Read from the disk."""
    return frozenset(available_timezones())
