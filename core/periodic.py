"""Background work of commands: done once, or repeated until the command is stopped."""

import logging
import signal
import sys
from collections.abc import Callable
from threading import Event

from django.conf import settings
from django.core.management.base import OutputWrapper
from django.db import InterfaceError, OperationalError, close_old_connections


def run_once(work: Callable[[], str], *, log: logging.Logger, stdout: OutputWrapper) -> None:
    """The work gives back what it has come to. Where the log is for programs, so is that; failing ends with 1."""
    if not run_logged(work, log=log, tell=log.info if settings.LOG_FORMAT == "json" else stdout.write):
        sys.exit(1)


def run_repeatedly(work: Callable[[], str], *, seconds: float, log: logging.Logger) -> None:
    """Until SIGTERM or SIGINT. What one round could not do the next one does."""
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    while not stopped.is_set():
        run_logged(work, log=log, tell=log.info)
        close_old_connections()
        stopped.wait(seconds)


def run_logged(work: Callable[[], str], *, log: logging.Logger, tell: Callable[[str], object]) -> bool:
    """Whether it could be done. The database may be away for a while; everything else is a fault, for Sentry too."""
    try:
        tell(work())
    except (OperationalError, InterfaceError):
        log.warning("Not done, the database did not do its part", exc_info=True)
    except Exception:
        log.exception("Not done")
    else:
        return True
    return False
