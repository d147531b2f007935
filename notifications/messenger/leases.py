"""Leases on notices, and noting what became of them."""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Least
from django.utils import timezone

from core import retry
from notifications.messenger.models import CLOCK_TOLERANCE, LEASE, LONGEST_REASON, Channel, Notice

AT_ONCE = 100
DELAYS = [5, 30, 120, 600]  # seconds before the next attempt; the last one is repeated
GIVE_UP = timedelta(hours=24)
LONGEST_WAIT = timedelta(hours=25)  # quiet hours, also on a day of 25; what is due later was planned by a wrong clock


def claim_notices(channel: Channel) -> list[Notice]:
    """Leases what is due for this channel, oldest first. Another worker gets none of them meanwhile."""
    for attempt in retry.attempts():
        with attempt:
            due = Notice.objects.due().filter(channel=channel).order_by("pk")
            notices = list(due.select_for_update(skip_locked=True, no_key=True)[:AT_ONCE])
            now = timezone.now()
            Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(leased_until=now + LEASE)
    return notices


def finish_notice(notice: Notice, *, due_at: datetime | None = None, error: str = "", **fields: Any) -> None:
    """Notes what became of a leased notice, and ends the lease.

    `due_at`: when it is to be sent or edited next. If something has happened to the contact since it was leased, it
    stays due now.
    """
    unchanged = When(due_at=notice.due_at, then=Value(due_at))
    for attempt in retry.attempts():
        with attempt:
            Notice.objects.filter(pk=notice.pk).update(
                due_at=Case(unchanged, default=F("due_at")),
                leased_until=None,
                error=error[:LONGEST_REASON],
                **fields,
            )


def correct_moments() -> int:
    """After the clock was set back: what was made in its future is due now."""
    now = timezone.now()
    is_of_future = Q(created_at__gt=now + CLOCK_TOLERANCE) | Q(due_at__gt=now + LONGEST_WAIT)
    early = Notice.objects.filter(is_of_future, due_at__isnull=False)
    corrected = 0
    if early.exists():
        for attempt in retry.attempts():
            with attempt:
                corrected = early.update(due_at=now, created_at=Least(F("created_at"), now))
    return corrected


def release_notices(notices: Iterable[Notice]) -> None:
    """Ends the leases of notices that were not sent; they stay due."""
    pks = [notice.pk for notice in notices]
    if pks:
        for attempt in retry.attempts():
            with attempt:
                Notice.objects.filter(pk__in=pks).update(leased_until=None)


def while_leased(notices: Sequence[Notice], *, seconds: float) -> Iterator[Notice]:
    """These notices, one after another, for so long. A slow receiver gets the rest later: another worker would send it
    as well when the lease has ended."""
    begun = time.monotonic()
    for place, notice in enumerate(notices):
        if place and time.monotonic() - begun > seconds:
            release_notices(notices[place:])
            return
        yield notice


def postpone_notice(notice: Notice, until: datetime) -> None:
    finish_notice(notice, due_at=until)


def skip_notice(notice: Notice, why: str = "") -> None:
    finish_notice(notice, state=Notice.State.SKIPPED, error=why)


def fail_notice(notice: Notice, error: str) -> None:
    """A message that was sent, but cannot be edited, stays sent."""
    state = Notice.State.FAILED if notice.state == Notice.State.PENDING else notice.state
    finish_notice(notice, state=state, error=error, attempts=notice.attempts + 1)


def try_again(notice: Notice, error: str) -> None:
    """Another attempt later; after a day it has failed."""
    now = timezone.now()
    if now - notice.created_at > GIVE_UP:
        fail_notice(notice, error)
        return
    delay = DELAYS[min(notice.attempts, len(DELAYS) - 1)]
    finish_notice(notice, due_at=now + timedelta(seconds=delay), error=error, attempts=notice.attempts + 1)
