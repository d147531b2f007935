"""Sweeps the queue periodically, in a thread of the serving process.

Every event drains the queue by itself. The sweep handles the rest: contacts left by QUEUE_BURST, and events whose
process died, or whose database failed, between the commit and the drain.
"""

import logging
import random
import time
from threading import Thread

from django.db import connections

from crm_router.observability import metrics
from routing import fairness, queue

log = logging.getLogger(__name__)


def start_sweeper(seconds: int) -> None:
    """Starts a sweep about every `seconds`; 0 leaves it to `manage.py route_waiting --loop`."""
    if seconds:
        Thread(target=sweep_repeatedly, args=(seconds,), name="sweeper", daemon=True).start()


def sweep_repeatedly(seconds: int) -> None:
    while True:
        time.sleep(seconds * random.uniform(0.5, 1.5))  # random, so that workers do not sweep simultaneously
        try:
            sweep_once()
        finally:
            connections.close_all()


def sweep_once() -> None:
    try:
        queue.sweep_queue()
        fairness.tally_hours()
        metrics.SWEEPS.labels("done").inc()
    except Exception:  # a thread that dies of one error would leave the queue alone from then on
        metrics.SWEEPS.labels("failed").inc()
        log.exception("The sweep has failed; the next round tries again")
