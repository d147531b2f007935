"""Throttles guessing: of passwords, and of the links that stand in for one."""

from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_failure_limit
from axes.models import AccessAttempt
from django.db.models import Sum
from django.http import HttpRequest

LINKS = "(one-time links)"  # in place of an account; user names have no brackets
FORGOTTEN = "(forgotten passwords)"
ALL_ACCOUNTS = 10  # times SIGN_IN_ATTEMPTS may be wrong from one address, whatever the accounts


class Handler(AxesDatabaseHandler):
    """What django-axes counts, by account and address together, and by address alone with a limit of its own.

    It is asked before the password is hashed: guesses at sixty accounts would each cost a third of a second.
    """

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        limit = ALL_ACCOUNTS * get_failure_limit(request, credentials)
        return bool(super().is_locked(request, credentials)) or failures_from_address(request) >= limit


def failures_from_address(request: HttpRequest) -> int:
    """Failures within the wait. Clients without a known address are not counted: they could lock each other out."""
    address = request.axes_ip_address  # type: ignore[attr-defined] # django-axes puts it there
    if address is None:
        return 0
    attempts = AccessAttempt.objects.filter(ip_address=address, attempt_time__gt=get_cool_off_threshold(request))
    return attempts.aggregate(number=Sum("failures_since_start", default=0))["number"]


def is_blocked(request: HttpRequest, what: str) -> bool:
    """Whether there were too many failures from this address, in this or in all. `what`: LINKS or FORGOTTEN."""
    return bool(AxesProxyHandler.is_locked(without_contents(request), {"username": what}))


def count_failure(request: HttpRequest, what: str) -> None:
    AxesProxyHandler.user_login_failed(__name__, {"username": what}, without_contents(request))


def without_contents(request: HttpRequest) -> HttpRequest:
    """django-axes stores what a request has sent: here there are tokens and passwords in it, and in its path."""
    bare = HttpRequest()
    bare.META = request.META | {"PATH_INFO": ""}
    return bare
