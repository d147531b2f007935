"""Receives the domain's events, counts them, and keeps them for the log line of the current request."""

from functools import cache

from core import request_context
from core.db.replica import OldRead
from core.retry import GaveUp, Lost
from crm_router.observability import metrics
from routing.assignment import DecisionMade
from routing.history import ContactMoved, What

moves, registrations = cache(metrics.MOVES.labels), cache(metrics.REGISTRATIONS.labels)


def count_event(fact: object) -> None:
    match fact:
        case ContactMoved():
            moves(fact.what.value).inc()
            if fact.what == What.REGISTERED:
                registrations(fact.source_id, fact.reason or "assigned").inc()
            if fact.what == What.TIMED_OUT:
                metrics.TIME_OUTS.labels("offered" if fact.operator_id else "waiting").inc()
            if call := request_context.current.get():
                call.events.append(fact)
        case DecisionMade():
            metrics.DECISIONS.observe(fact.seconds)
        case Lost():
            metrics.LOST_RACES.labels(fact.cause).inc()
        case OldRead():
            metrics.OLD_READS.labels(fact.outcome.value).inc()
        case GaveUp():
            metrics.GAVE_UP.inc()
