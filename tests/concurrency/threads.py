"""Runs work in many threads that start at the same moment, each with a database connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from django.db import connections

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
