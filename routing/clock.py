"""What time does by itself, about once a second: `tick`, called by `crm_router.server.ticker` and `route_waiting`.

Eligibility has no clock: what depends on time is a switch or a moment in a row, which is turned here when its moment
has come (ADR 0030). Each part finds what is due by an index, and several processes may do it at the same moment:
the one that has the row's lock looks again, and does it once.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from django.db.models import QuerySet, Subquery
from django.utils import timezone

from core import periodic, retry
from core.db.compiled import Select
from operators.models import Operator
from routing import cap_edges, due_moments, duty_edges, opening_hours, time_outs
from routing.models import Contact, Source, Upkeep

log = logging.getLogger(__name__)

TICK = 1.0  # seconds
NOTED_EVERY = timedelta(seconds=10)
# Without a tick for so long, nobody is blamed for what was due meanwhile. More than the clocks of two hosts may differ.
OUTAGE = timedelta(seconds=60)
SET_BACK = timedelta(minutes=10)  # a last tick that lies so far in the future was noted by a clock that was wrong

Part = Callable[[datetime], str]  # does what is due at this moment; returns what it did, for the log

PARTS: Sequence[Part] = (
    duty_edges.turn_edges,
    opening_hours.turn_opening_hours,
    cap_edges.end_caps_and_paces,
    time_outs.time_out_due,
)


def first_of(rows: QuerySet[Any], moment: str) -> Subquery:
    return Subquery(rows.filter(**{f"{moment}__isnull": False}).order_by(moment).values(moment)[:1])


# The last tick that was noted, and the earliest moment of each kind, each by its partial index.
MOMENTS: Select[tuple[datetime | None, ...]] = Select(
    lambda: Upkeep.objects.filter(pk=1).values_list(
        "ticked_at",
        first_of(Contact.objects.all(), "due_at"),
        first_of(Operator.objects.all(), "next_edge_at"),
        first_of(Operator.objects.all(), "capped_until"),
        first_of(Operator.objects.all(), "paced_until"),
        first_of(Source.objects.all(), "next_edge_at"),
    )
)


def tick() -> str:
    """Does everything that is due. A part that fails does not stop the others. Raises what failed."""
    now = timezone.now()
    ticked_at, *moments = next(iter(MOMENTS()), (None, now))
    if must_be_noted(ticked_at, now):
        note_tick(now)  # first: after an outage, what was due has its time again before any part looks at it
    if not any(moment is not None and moment <= now for moment in moments):
        return ""
    return periodic.run_parts(*(lambda part=part: part(now) for part in PARTS), log=log)


def must_be_noted(ticked_at: datetime | None, now: datetime) -> bool:
    return ticked_at is None or not -SET_BACK < now - ticked_at < NOTED_EVERY


def note_tick(now: datetime) -> None:
    """Stores that the clock goes. After an outage everything that is due gets its whole time again, once."""
    for attempt in retry.attempts():
        with attempt:
            renewed = 0
            Upkeep.objects.get_or_create(pk=1)
            upkeep = Upkeep.objects.select_for_update().get(pk=1)
            if must_be_noted(upkeep.ticked_at, now):
                if upkeep.ticked_at and now - upkeep.ticked_at > OUTAGE:
                    renewed = due_moments.renew_moments(now)
                elif upkeep.ticked_at and upkeep.ticked_at > now:
                    take_moments_back(now)
                Upkeep.objects.filter(pk=1).update(ticked_at=now)
    if renewed:
        log.warning("The clock has stood still: %s contacts that were due have their time again", renewed)


def take_moments_back(now: datetime) -> None:
    """After a clock that was ahead: what it has planned would come too late by as much. Caps are counted again, paces
    and time-outs last no longer than from now on, schedules and opening hours are due to be looked at."""
    log.warning("The clock has been set back: moments in the future are planned again")
    opening_hours.look_again(now)
    cap_edges.take_back(now)
    duty_edges.look_again(now)
    due_moments.shorten_moments(now)


def tick_repeatedly(stopped: Event) -> None:
    """Ticks until it is stopped. Whatever fails, the next tick follows; the connection is kept while nothing fails."""
    while not stopped.wait(TICK):
        if not periodic.run_logged(tick, log=log, report=log_work):
            periodic.drop_connections(log)


def log_work(done: str) -> None:
    if done:
        log.info(done)
