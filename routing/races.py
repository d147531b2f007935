"""Runs a unit of work again when somebody else was faster."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import transaction

from operators.refusals import Busy

Result = TypeVar("Result")

ATTEMPTS = 12
PAUSE = 0.005  # seconds, before the first repetition; doubles with each, at most a quarter of a second


class LostRace(Exception):
    """What this transaction had read is no longer true. It is rolled back, and starts again with fresh eyes."""


def run(work: Callable[[int], Result]) -> Result:
    """Calls `work(attempt)`, attempt counting from 0, in a transaction of its own, until it does not lose a race.

    Raises Busy when all attempts are lost; nothing has changed then.
    """
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return work(attempt)
        except LostRace:
            time.sleep(random.uniform(0, min(PAUSE * 2**attempt, 0.25)))
    raise Busy
