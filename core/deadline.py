"""Until when a call may begin another unit of work: after that nobody waits for its answer any more."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

moment: ContextVar[float | None] = ContextVar("deadline", default=None)  # by the monotonic clock


@contextmanager
def limit_to(seconds: float) -> Iterator[None]:
    """What this thread does meanwhile has so many seconds."""
    token = moment.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        moment.reset(token)


def has_passed() -> bool:
    """Never, where nobody has set one: commands take as long as they need."""
    end = moment.get()
    return end is not None and time.monotonic() > end
