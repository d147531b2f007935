"""The deadline of a call: after it no new unit of work begins, because no client waits for the response any more."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

moment: ContextVar[float | None] = ContextVar("deadline", default=None)  # by the monotonic clock


@contextmanager
def limit_to(seconds: float) -> Iterator[None]:
    """Limits the work of this thread inside the block to this many seconds, or to an earlier deadline around it."""
    token = moment.set(time.monotonic() + min(seconds, seconds_left()))
    try:
        yield
    finally:
        moment.reset(token)


def has_passed() -> bool:
    """Whether the deadline has passed. Always False if none is set, as in commands."""
    end = moment.get()
    return end is not None and time.monotonic() > end


def seconds_left() -> float:
    """Until the deadline; infinite if none is set, negative if it has passed."""
    end = moment.get()
    return math.inf if end is None else end - time.monotonic()
