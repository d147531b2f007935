"""How a session begins, whichever page it begins on."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Profile

BACKEND = "django.contrib.auth.backends.ModelBackend"
TIME_ZONE = "time_zone"  # in the session: the zone that the user has chosen; the profile keeps it


def sign_in_by_link(request: HttpRequest, user: Any) -> None:
    """Signs in whoever has just chosen the password of this account, on a page reached by a one-time link."""
    login(request, user, BACKEND)
    begin_session(request)


def begin_session(request: HttpRequest) -> None:
    """After the password. The session lasts SESSION_HOURS, used or not, and knows the zone of the profile, so that no
    page has to ask for it."""
    request.session.set_expiry(timezone.now() + timedelta(hours=settings.SESSION_HOURS))
    profile = Profile.objects.filter(user_id=request.user.pk).first()
    request.session[TIME_ZONE] = profile.time_zone if profile else ""
