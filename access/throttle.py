"""So many calls a minute with one key, counted across all processes and hosts.

The count stands in the key's row, in the database. Asking it for each call would cost more than the call, so a process
takes a twentieth of the limit at a time, and hands that out by itself.

How exact: never more than the limit in one minute by the clock, hence at most twice as much in any sixty seconds. What
a process has taken and not handed out when the minute ends is lost: with several processes a key may be refused up to a
twentieth of the limit early for each of the others. Below 40 calls a minute one is taken at a time: nothing is lost.
"""

from collections import Counter
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from access import keys
from access.scopes import key_of

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module, by way of the settings

MINUTE = timedelta(minutes=1)
PARTS = 20


class PerKey(BaseThrottle):
    """Without a key there is nothing to count by, and no flood of strangers can make the database write."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        limit, key = settings.THROTTLE_PER_MINUTE, key_of(request)
        return not limit or key is None or allowance.admits(key.pk, minute=this_minute(), limit=limit)

    def wait(self) -> float:
        return (this_minute() + MINUTE - timezone.now()).total_seconds()


def this_minute() -> datetime:
    return timezone.now().replace(second=0, microsecond=0)


class Allowance:
    """What this process may still let through in the current minute, by key."""

    def __init__(self) -> None:
        self.lock = Lock()  # guards the three below; never held while the database is asked
        self.minute: datetime | None = None
        self.left: Counter[int] = Counter()
        self.used_up: set[int] = set()

    def admits(self, key_id: int, *, minute: datetime, limit: int) -> bool:
        with self.lock:
            if minute != self.minute:
                self.minute, self.left, self.used_up = minute, Counter(), set()
            if self.left[key_id]:
                self.left[key_id] -= 1
                return True
            if key_id in self.used_up:
                return False
        taken = take(key_id, minute=minute, limit=limit)
        with self.lock:
            if minute == self.minute and taken:
                self.left[key_id] += taken - 1
            elif minute == self.minute:
                self.used_up.add(key_id)
        return taken > 0


allowance = Allowance()


def take(key_id: int, *, minute: datetime, limit: int) -> int:
    """A part of what is left of this minute, 0 when nothing is. The row stays locked for two statements.

    Clocks of several hosts differ: a minute that another host has begun goes on. One further ahead is a clock that has
    been set back since, and counts afresh.
    """
    with transaction.atomic():
        key = keys.lock(key_id)
        if key.minute is None or not timedelta(0) <= key.minute - minute <= MINUTE:
            key.minute, key.taken = minute, 0
        taken = min(max(limit // PARTS, 1), limit - key.taken)
        if taken > 0:
            key.taken += taken
            key.save(update_fields=["minute", "taken"])
        return max(taken, 0)
