"""Runs work in many threads that start at the same moment, each with a database connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

from django.db import connection, connections

TIMEOUT = 600  # seconds; a deadlock is a failure with a stack, not a hanging test


def together(*jobs: Callable[[], Any]) -> list[Any]:
    """What each job returned, in order. Raises what any of them raised."""
    barrier = Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        barrier.wait(TIMEOUT)
        try:
            return job()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(jobs)) as pool:
        futures = [pool.submit(run, job) for job in jobs]
        return [future.result(TIMEOUT) for future in futures]


class Pause:
    """Stops whoever passes, until it is let go on."""

    def __init__(self) -> None:
        self.reached, self.go_on = Event(), Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.go_on.wait(120)

    def stops_once(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose first call stops when it is done."""

        def call(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            if not self.reached.is_set():
                self()
            return result

        return call


def closing(job: Callable[[], Any]) -> Any:
    """Does the job in a thread of a pool, whose connections are closed afterwards."""
    try:
        return job()
    finally:
        connections.close_all()


def until_somebody_waits_for_a_lock() -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    for _ in range(100_000):
        with connection.cursor() as cursor:
            cursor.execute(waiting)
            if cursor.fetchone()[0]:
                return
    raise AssertionError("Nobody waits.")


def wait_for(pause: Pause, holder: Callable[[], Any], waiter: Callable[[], Any]) -> list[Any]:
    """Does both: the holder until it pauses, then the waiter until it waits for a lock, then the rest.

    Returns what each returned or raised.
    """
    with ThreadPoolExecutor(2) as pool:
        holding = pool.submit(closing, holder)
        try:
            assert pause.reached.wait(60)
            waiting = pool.submit(closing, waiter)
            until_somebody_waits_for_a_lock()
        finally:
            pause.go_on.set()
        return [done.exception(TIMEOUT) or done.result(TIMEOUT) for done in (holding, waiting)]
