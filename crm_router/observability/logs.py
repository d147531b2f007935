"""What a line of the log looks like: for people at a terminal, or JSON for programs. docs/observability.md explains it.

Personal data stay out unless LOG_PERSONAL_DATA is set. Messages of exceptions quote what was at hand, such as the phone
that was there already, so they are told only where they cannot.
"""

import logging
import traceback
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, ProgrammingError
from structlog.processors import JSONRenderer
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.types import EventDict

from core import request_context

# What a record may carry beside its message. Everything else stays out: Django adds whole requests to some records.
FIELDS = (
    "method",
    "route",
    "status",
    "duration_ms",
    "code",
    "key",
    "what",
    "contact_id",
    "source_id",
    "operator_id",
    "reason",
    "strategy",
    "changes",
    "path",
)

# Errors that tell of programs, networks and files; of databases, only the first line, as values may follow.
HARMLESS = (
    OperationalError,
    InterfaceError,
    ProgrammingError,
    OSError,
    ImportError,
    AttributeError,
    NameError,
    TypeError,
)
CAUSES = 10  # of an exception, at most


def formatter(form: str) -> logging.Formatter:
    """For LOGGING. `form` is "line" or "json"."""
    render = JSONRenderer(ensure_ascii=False, default=str) if form == "json" else as_line
    return ProcessorFormatter(
        foreign_pre_chain=[ExtraAdder(allow=FIELDS)], processors=[describe, render], use_get_message=True
    )


def describe(_logger: Any, _name: str, event: EventDict) -> EventDict:
    """Puts together what each line says, in this order."""
    record: logging.LogRecord = event.pop("_record")
    del event["_from_structlog"]
    exc_info = event.pop("exc_info", None)
    said = {
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": event.pop("event"),
    }
    if request_id := request_context.current_request_id():
        said["request_id"] = request_id
    said |= {name: event[name] for name in FIELDS if event.get(name) is not None}
    said["process"] = record.process
    if exc_info and exc_info[1]:
        said["exception"] = format_exception(exc_info[1])
    return said


def as_line(_logger: Any, _name: str, event: EventDict) -> str:
    exception = event.pop("exception", "")
    words = [event.pop("timestamp"), event.pop("level").upper(), event.pop("logger"), event.pop("event")]
    del event["process"]
    if request_id := event.pop("request_id", None):
        event["request_id"] = request_id  # long, so it comes last
    line = " ".join([*words, *(f"{name}={value}" for name, value in event.items())])
    return f"{line}\n{exception}" if exception else line


def format_exception(error: BaseException) -> str:
    """The traceback, what came first at the top, as Python prints it but without messages that may quote people."""
    chain: list[BaseException] = []
    earlier: BaseException | None = error
    while earlier is not None and earlier not in chain and len(chain) < CAUSES:
        chain.append(earlier)
        earlier = earlier.__cause__ or (None if earlier.__suppress_context__ else earlier.__context__)
    return "\nwhich led to\n".join(
        "".join(traceback.format_tb(link.__traceback__)) + exception_line(link) for link in reversed(chain)
    )


def exception_line(error: BaseException) -> str:
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    message = safe_message(error)
    return f"{kind}: {message}" if message else kind


def safe_message(error: BaseException) -> str:
    """Of an error that cannot quote personal data, or of any if they are wanted; else empty."""
    if settings.LOG_PERSONAL_DATA:
        return str(error)
    return str(error).partition("\n")[0] if isinstance(error, HARMLESS) else ""


class WithoutClients(logging.Filter):
    """Keeps out what the server says of clients in its messages: addresses, paths and pieces of what they sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not settings.LOG_PERSONAL_DATA and record.name.startswith("gunicorn"):
            for beginning in ("Invalid request", "Error handling request"):
                if str(record.msg).startswith(beginning):
                    record.msg, record.args = beginning, ()
        return True
