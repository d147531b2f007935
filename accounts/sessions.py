"""How a session begins, whichever page it begins on."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Profile

BACKEND = "django.contrib.auth.backends.ModelBackend"
TIME_ZONE = "time_zone"  # in the session: the zone that the user has chosen; the profile keeps it


def sign_in_by_link(request: HttpRequest, user: Any) -> None:
    """Signs in the person who has just chosen the password of this account, on a page reached by a one-time link."""
    login(request, user, BACKEND)
    begin_session(request)


def signed_in(request: HttpRequest) -> User:
    """The user of a request that only signed-in users can make."""
    assert isinstance(request.user, User)
    return request.user


def begin_session(request: HttpRequest) -> None:
    """After the password. The session lasts SESSION_HOURS, used or not, and knows the zone of the profile, so that no
    page has to ask for it."""
    request.session.set_expiry(timezone.now() + timedelta(hours=settings.SESSION_HOURS))
    profile = Profile.objects.filter(pk=signed_in(request).pk).first()
    request.session[TIME_ZONE] = profile.time_zone if profile else ""
