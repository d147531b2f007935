"""One round of the background work of routing, for the sweeper of the service and for `route_waiting`."""

import logging
import time

from django.utils import timezone

from core import periodic
from routing import bookkeeping, clock, queue, tallies
from routing.report import tallying

log = logging.getLogger(__name__)

TALLYING = 20.0  # seconds of one round, for reports


def sweep_and_tally() -> str:
    """Assigns waiting contacts and tallies past hours; stores when each part ended well. Returns a line for the log.

    A part that fails does not stop the other. Raises what failed.
    """
    return periodic.run_parts(sweep, tally, tally_for_reports, log=log)


def tick_sweep_and_tally() -> str:
    """For a single round: `sweep_and_tally`, and before it what the clock does."""
    return periodic.run_parts(clock.tick, sweep, tally, tally_for_reports, log=log)


def sweep() -> str:
    return f"{queue.sweep_queue()} assigned,"


def tally() -> str:
    hours = tallies.tally_hours()
    bookkeeping.note_moments(tallied_at=timezone.now())
    return f"{hours} hours tallied"


def tally_for_reports() -> str:
    """Not for long at a time: after an upgrade there may be millions of rows, and the queue must be swept meanwhile."""
    end = time.monotonic() + TALLYING
    rows = tallying.tally_when_due(go_on=lambda: time.monotonic() < end)
    return f"{rows} lines of the history counted" if rows else ""
