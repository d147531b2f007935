"""Background work of commands: run once, or repeated until the command is stopped."""

import logging
import signal
import sys
from collections.abc import Callable
from threading import Event

from django.conf import settings
from django.core.management.base import OutputWrapper
from django.db import InterfaceError, OperationalError, close_old_connections


def run_once(work: Callable[[], str], *, log: logging.Logger, stdout: OutputWrapper) -> None:
    """Runs the work; reports its result in the log if that is JSON, else on stdout. Exits with 1 on failure."""
    if not run_logged(work, log=log, report=log.info if settings.LOG_FORMAT == "json" else stdout.write):
        sys.exit(1)


def run_repeatedly(work: Callable[[], str], *, seconds: float, log: logging.Logger) -> None:
    """Repeats the work until SIGTERM or SIGINT. A failed round is followed by the next one."""
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.is_set():
        run_logged(work, log=log, report=log.info)
        close_old_connections()
        stopped.wait(seconds)


def run_logged(work: Callable[[], str], *, log: logging.Logger, report: Callable[[str], object]) -> bool:
    """Returns whether the work succeeded. Logs database failures as warnings, all others as errors (for Sentry)."""
    try:
        report(work())
    except (OperationalError, InterfaceError):
        log.warning("Not done, the database did not do its part", exc_info=True)
    except Exception:
        log.exception("Not done")
    else:
        return True
    return False
