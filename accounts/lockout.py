"""Throttles password guessing."""

from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_failure_limit
from axes.models import AccessAttempt
from django.db.models import Sum
from django.http import HttpRequest

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
