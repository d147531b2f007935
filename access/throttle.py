"""Limits the calls a minute with one key, across all processes and hosts. Each contact of a batch counts as a call.

The key's row holds the count of this minute and of the previous one, which counts by the part of it that lies within
the last 60 seconds. Asking the database for each call would cost more than the call, so a process reserves a twentieth
of the limit at a time.

Accuracy: the calls of the previous minute count as if they had been spread evenly over it. A caller who makes all of
them at its end can make almost twice the limit within 60 seconds; a steady caller never exceeds it. A process loses
what it has reserved and not used when the minute ends: with several processes, a key may be refused up to a twentieth
of the limit early for each other process. Below 40 calls a minute, calls are reserved one by one and none is lost.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import UnreadablePostError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import APIException, Throttled, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from access import keys
from access.models import ApiKey
from access.scopes import key_of
from core import retry

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module, by way of the settings

MINUTE = timedelta(minutes=1)
PARTS = 20


class TooFast(Throttled):
    default_detail = gettext_lazy("Too many calls with this key.")
    extra_detail_singular = gettext_lazy("Try again in {wait} second.")  # type: ignore[assignment] # as DRF's own
    extra_detail_plural = gettext_lazy("Try again in {wait} seconds.")  # type: ignore[assignment] # likewise


class NotTooFast(BasePermission):
    """Counts each call with a valid key, whatever becomes of it: if refusals were free, ids could be tried without end.

    So it is asked before the scope is, which DRF's own throttles are not. Without a key there is nothing to count by,
    and no flood of strangers can make the database write.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        key = key_of(request)
        if settings.THROTTLE_PER_MINUTE and key is not None:
            count(request, view, key)
        return True


def count(request: Request, view: "APIView", key: ApiKey) -> None:
    """Raises TooFast above the limit. A request that can never succeed counts as one call, and is then refused."""
    limit, now = settings.THROTTLE_PER_MINUTE, timezone.now()
    hopeless: Exception | None = None
    try:
        calls = calls_in(request, view)
    except (APIException, UnreadablePostError) as error:  # a body that the view cannot read either
        calls, hopeless = 1, error
    if calls > limit:  # to come back later would not help
        sentence = _("This counts as %(calls)s calls; the limit of this key is %(limit)s a minute.")
        hopeless = ValidationError(sentence % {"calls": calls, "limit": limit})
        calls = 1
    if until := allowance.take_calls(key.pk, calls=calls, now=now, limit=limit):
        raise TooFast((until - now).total_seconds())
    if hopeless:
        raise hopeless


def calls_in(request: Request, view: "APIView") -> int:
    """The view's own `calls_in`, where one request does the work of several calls; else 1."""
    count = getattr(view, "calls_in", None)
    return count(request) if count else 1


class Allowance:
    """The calls that this process has reserved in the current minute, by key."""

    def __init__(self) -> None:
        self.lock = Lock()  # guards the three below; never held while the database is asked
        self.minute: datetime | None = None
        self.left: Counter[int] = Counter()
        self.in_vain: dict[int, tuple[int, datetime]] = {}  # for so many calls there is no room until then

    def take_calls(self, key_id: int, *, calls: int, now: datetime, limit: int) -> datetime | None:
        """None when so many calls may pass, which are counted; else when there will be room for them."""
        minute = minute_of(now)
        with self.lock:
            if minute != self.minute:
                self.minute, self.left = minute, Counter()
                self.in_vain = {key: vain for key, vain in self.in_vain.items() if now < vain[1] <= now + 2 * MINUTE}
            if self.left[key_id] >= calls:
                self.left[key_id] -= calls
                return None
            least, until = self.in_vain.get(key_id, (calls, now))
            if calls >= least and now < until:
                return until
            ours = self.left.pop(key_id, 0)
        taken, until = take_calls(key_id, calls=calls - ours, now=now, limit=limit)
        with self.lock:
            if minute == self.minute:
                self.left[key_id] += ours + (taken - calls if taken else 0)
                if not taken:
                    self.in_vain[key_id] = calls, until
        return None if taken else until


allowance = Allowance()


def take_calls(key_id: int, *, calls: int, now: datetime, limit: int) -> tuple[int, datetime]:
    """A part of what is left, at least so many calls; or 0, and when there will be room for them and for a part.

    The row stays locked for two statements.
    """
    part = max(limit // PARTS, 1)
    for attempt in retry.attempts():
        with attempt:
            key = keys.lock_key(key_id)
            count = Count(key.minute, key.taken, key.taken_before).at(now) if key.minute else Count(minute_of(now))
            room = count.room(now, limit)
            taken = max(calls, min(part, room)) if room >= calls else 0
            if taken:
                key.minute, key.taken, key.taken_before = count.minute, count.taken + taken, count.before
                key.save(update_fields=["minute", "taken", "taken_before"])
    return taken, now if taken else count.room_at(max(calls, part), limit)


@dataclass(frozen=True)
class Count:
    """How many calls were taken in a minute, and in the one before it."""

    minute: datetime
    taken: int = 0
    before: int = 0

    def at(self, now: datetime) -> "Count":
        """Clocks of several hosts differ: a minute that another host has begun goes on. One further ahead is a clock
        that has been set back since, and counts afresh.
        """
        passed = minute_of(now) - self.minute
        if -MINUTE <= passed <= timedelta(0):
            return self
        return Count(minute_of(now), before=self.taken if passed == MINUTE else 0)

    def room(self, now: datetime, limit: int) -> int:
        remains = min(self.minute + MINUTE - now, MINUTE)
        return limit - self.taken - -(-self.before * remains // MINUTE)

    def room_at(self, calls: int, limit: int) -> datetime:
        """When there is room for so many calls, no more of them than the limit, if nobody takes any before."""
        if self.taken + calls <= limit:
            return self.minute + until_only(limit - self.taken - calls, of=self.before)
        return self.minute + MINUTE + until_only(limit - calls, of=self.taken)


def until_only(rest: int, *, of: int) -> timedelta:
    """How far into the next minute no more than this rest of a minute's calls still counts."""
    return MINUTE - MINUTE * rest // of if rest < of else timedelta(0)


def minute_of(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)
