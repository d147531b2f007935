"""Calls that wait for events. Each holds a thread of the serving process, so only few may wait at the same time."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event as Signal
from threading import Lock

from notifications import feed
from notifications.cursors import Cursor

LONGEST = 25  # seconds that a call may wait
PAUSE = 0.5  # seconds between two looks


class Waiters:
    """The calls of this process: all that are being answered, and those of them that wait. The latter end early when
    the process stops."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.answering = self.waiting = 0
        self.lock = Lock()
        self.stopping = Signal()

    @contextmanager
    def one_more_call(self) -> Iterator[bool]:
        """Whether more calls are being answered than may wait, for as long as the block runs."""
        with self.lock:
            self.answering += 1
            is_crowded = self.answering > self.limit
        try:
            yield is_crowded
        finally:
            with self.lock:
                self.answering -= 1

    @contextmanager
    def one_more(self) -> Iterator[bool]:
        """Whether another call may wait, for as long as the block runs."""
        with self.lock:
            may_wait = self.waiting < self.limit and not self.stopping.is_set()
            self.waiting += may_wait
        try:
            yield may_wait
        finally:
            with self.lock:
                self.waiting -= may_wait


waiters = Waiters(1)


def limit_waiters(threads: int) -> None:
    """At most a quarter of the process's threads may wait; one of fewer than eight."""
    waiters.limit = max(1, threads // 4)


def end_waiting() -> None:
    """Lets the calls that wait answer now, and no other wait: the process stops."""
    waiters.stopping.set()


@dataclass(frozen=True, slots=True)
class Answer:
    """`should_pause`: the call did not wait, and many others come: the caller should not ask again immediately."""

    events: list[feed.Event]
    cursor: Cursor
    should_pause: bool = False


def wait_for_events(
    *, after: Cursor, limit: int, types: Collection[str] | None, source_id: int | None, seconds: float
) -> Answer:
    """The next events, as `feed.read_feed` gives them, as soon as there are any, but after these seconds at the latest.

    Holds no transaction while it waits. If too many calls wait already, it answers immediately. While events come all
    the time nobody waits, and callers who ask again after each of them would take all threads: so they should pause
    too, except for those who have a full page and are behind.
    """
    give_up_at = time.monotonic() + seconds
    with waiters.one_more_call() as is_crowded:
        events, cursor = feed.read_feed(after=after, limit=limit, types=types, source_id=source_id)
        if events or not seconds:
            return Answer(events, cursor, should_pause=is_crowded and seconds > 0 and len(events) < limit)
        with waiters.one_more() as may_wait:
            while may_wait and not events and (left := give_up_at - time.monotonic()) > 0:
                if waiters.stopping.wait(min(PAUSE, left)):
                    break
                events, cursor = feed.read_feed(after=cursor, limit=limit, types=types, source_id=source_id)
        return Answer(events, cursor, should_pause=not may_wait)
