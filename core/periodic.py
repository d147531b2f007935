"""Background work: run once, or repeated until it is stopped. Whatever fails in a round, the next one follows."""

import logging
import signal
import sys
from collections.abc import Callable
from threading import Event

from django.conf import settings
from django.core.management.base import OutputWrapper
from django.db import connections

from core.db.faults import fault_of

stopped = Event()


def run_once(work: Callable[[], str], *, log: logging.Logger, stdout: OutputWrapper) -> None:
    """Runs the work; reports its result in the log if that is JSON, else on stdout. Exits with 1 on failure."""
    stopped.clear()
    if not run_logged(work, log=log, report=log.info if settings.LOG_FORMAT == "json" else stdout.write):
        sys.exit(1)


def run_repeatedly(work: Callable[[], str], *, seconds: float, log: logging.Logger) -> None:
    """Repeats the work until SIGTERM or SIGINT; long work looks at `stopped`."""
    stopped.clear()
    limit_commits()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.is_set():
        run_round(work, log=log, report=log.info)
        stopped.wait(seconds)


def limit_commits() -> None:
    """For a process that goes on until it is stopped: like the service it must not wait for a commit that a former
    primary never confirms (core/db/postgresql). Other commands wait, because a migration may be confirmed late."""
    for database in settings.DATABASES.values():
        database["COMMIT_TIMEOUT"] = settings.DATABASE_COMMIT_TIMEOUT


def run_round(work: Callable[[], str], *, log: logging.Logger, report: Callable[[str], object]) -> bool:
    """Runs the work on connections that are closed afterwards. Returns whether it succeeded; raises nothing."""
    succeeded = run_logged(work, log=log, report=report)
    drop_connections(log)
    return succeeded


def run_logged(work: Callable[[], str], *, log: logging.Logger, report: Callable[[str], object]) -> bool:
    """Returns whether the work succeeded. Logs faults of the database as warnings, others as errors (for Sentry)."""
    try:
        report(work())
    except Exception as error:
        if fault_of(error):
            log.warning("Not done, the database did not do its part", exc_info=True)
        else:
            log.exception("Not done")
        return False
    return True


def run_parts(*parts: Callable[[], str], log: logging.Logger) -> str:
    """Runs the parts of a round one after another, each even if one before it has failed; returns their reports in one
    line. Raises the first failure in the end, and logs the others."""
    reports, failures = list[str](), list[Exception]()
    for part in parts:
        try:
            reports.append(part())
        except Exception as error:
            failures.append(error)
    for failure in failures[1:]:
        log.error("Not done", exc_info=failure)
    if failures:
        raise failures[0]
    return " ".join(filter(None, reports))


def drop_connections(log: logging.Logger) -> None:
    """Closes this thread's database connections, in whatever state they are; the next round opens new ones.

    Django keeps a connection whose transaction was never ended, and refuses every later statement on it. So such a
    connection is forgotten, as is one that cannot even be closed.
    """
    for connection in connections.all(initialized_only=True):
        try:
            connection.close()
        except Exception:
            log.warning("A connection to the database could not be closed", exc_info=True)
        if connection.connection is not None or connection.in_atomic_block:
            del connections[connection.alias]
