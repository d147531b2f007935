"""Watches how the service writes while tests run: only in attempts of `core.retry`, left by no `return`.

A write elsewhere is not tried again after a deadlock; a `return` after a write looks like a success even if the commit
was lost. Tests themselves may write as they like.
"""

import re
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from types import FrameType
from typing import Any

from django.apps import apps
from django.db.backends.signals import connection_created

from core import retry

ROOT = Path(__file__).parent.parent
WRITES = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')
# Rows of Django's own pages, such as sessions and accounts, are written by Django.
OURS = ("changes", "operators", "routing", "leads", "notifications", "messenger", "access", "otp_totp", "otp_static")
AFTER_A_COMMIT = {"assign_oldest", "refresh_reasons"}  # of `routing.queue`: what a committed change brings about
MECHANISM = ("core/db/", "core/retry.py", "operators/load.py", "tests/transactions.py")

FREE = ("tests/", "scripts/")

attempts = retry.attempts
running = threading.local()  # `stack`: the attempts of this thread
committed: list[
    str
] = []  # functions whose outermost transactions have written something, in the order of their commits
outside: list[str] = []  # writes outside of attempts; also raised, but after a commit the queue logs any error
left_early: list[str] = []  # functions that returned from an attempt that had written something


class Attempt(retry.Attempt):
    has_written = False

    def __enter__(self) -> "Attempt":
        super().__enter__()
        frame = nearest_frame(sys._getframe(1))
        self.function = frame.f_code.co_qualname if frame else ""
        running.stack = [*stack(), self]
        return self

    def __exit__(self, *error: Any) -> bool:
        try:
            return super().__exit__(*error)
        finally:
            running.stack = running.stack[:-1]
            if self.has_succeeded and self.has_written and not running.stack:
                committed.append(self.function)


def stack() -> list[Attempt]:
    found: list[Attempt] = getattr(running, "stack", [])
    return found


def watched_attempts() -> Iterator[retry.Attempt]:
    for attempt in attempts():
        has_left = True
        try:
            yield attempt
            has_left = False
        finally:
            if has_left and attempt.has_succeeded and isinstance(attempt, Attempt) and attempt.has_written:
                left_early.append(attempt.function)


def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Django's wrapper around each statement of a connection."""
    if not our_tables().isdisjoint(written_tables(sql)):
        for attempt in stack():
            attempt.has_written = True
        frame = nearest_frame(sys._getframe(1))
        file = file_of(frame) if frame else ""
        if not stack() and file and not file.startswith(FREE) and "/migrations/" not in file:
            outside.append(f"{file} writes outside of retry.attempts(): {sql[:200]}")
            raise AssertionError(outside[-1])
    return execute(sql, params, many, context)


@lru_cache(maxsize=4096)
def written_tables(sql: str) -> list[str]:
    """Statements repeat, and searching a long one takes a tenth of the time of running it."""
    found: list[str] = WRITES.findall(sql)
    return found


@cache
def our_tables() -> set[str]:
    return {model._meta.db_table for label in OURS for model in apps.get_app_config(label).get_models()}


def nearest_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost function of the service or of its tests, above what runs statements; None if pytest itself does."""
    while frame and (not file_of(frame) or file_of(frame).startswith(MECHANISM)):
        frame = frame.f_back
    return frame


def file_of(frame: FrameType) -> str:
    """Relative to the repository; empty for files of libraries."""
    name = frame.f_code.co_filename
    inside = name.startswith(f"{ROOT}/") and "/site-packages/" not in name
    return name.removeprefix(f"{ROOT}/") if inside else ""


def start_watching() -> None:
    retry.Attempt = Attempt  # type: ignore[misc] # of every transaction
    retry.attempts = watched_attempts
    connection_created.connect(install)


def install(connection: Any, **_: Any) -> None:
    if watch not in connection.execute_wrappers:
        connection.execute_wrappers.append(watch)
