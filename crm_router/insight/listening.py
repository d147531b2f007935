"""Hears what the domain tells, counts it, and keeps what the line of the present request will say."""

from functools import cache

from crm_router.insight import calls, metrics
from leads.history import Moved, What
from routing.assignment import Decided
from routing.races import GaveUp, Lost

moves, registrations = cache(metrics.MOVES.labels), cache(metrics.REGISTRATIONS.labels)


def hear(fact: object) -> None:
    match fact:
        case Moved():
            moves(fact.what.value).inc()
            if fact.what == What.REGISTERED:
                registrations(fact.source_id, fact.reason or "assigned").inc()
            if call := calls.current.get():
                call.moved.append(fact)
        case Decided():
            metrics.DECISIONS.observe(fact.seconds)
        case Lost():
            metrics.LOST_RACES.labels(fact.cause).inc()
        case GaveUp():
            metrics.GAVE_UP.inc()
