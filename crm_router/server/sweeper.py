"""Sweeps the queue periodically, in a thread of the serving process.

Every event drains the queue by itself. The sweep handles the rest: events whose process died, or whose database failed,
between the commit and the drain.
"""

import logging
import random
import time
from threading import Thread

from core import periodic
from crm_router.observability import metrics
from routing import upkeep

log = logging.getLogger(__name__)


def start_sweeper(seconds: int) -> None:
    """Starts a sweep about every `seconds`; 0 leaves it to `manage.py route_waiting --loop`."""
    if seconds:
        Thread(target=sweep_repeatedly, args=(seconds,), name="sweeper", daemon=True).start()


def sweep_repeatedly(seconds: float) -> None:
    while True:
        time.sleep(seconds * random.uniform(0.5, 1.5))  # random, so that workers do not sweep simultaneously
        try:
            sweep_once()
        except Exception:  # of the log or the metrics: their disk may be full, and the queue must be swept nevertheless
            log.exception("The sweep could not be recorded")


def sweep_once() -> None:
    done = periodic.run_round(upkeep.sweep_and_tally, log=log, report=log.debug)
    metrics.SWEEPS.labels("done" if done else "failed").inc()
