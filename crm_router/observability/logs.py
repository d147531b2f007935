"""What a line of the log looks like: for people at a terminal, or JSON for programs. docs/observability.md explains it.

Personal data stay out unless LOG_PERSONAL_DATA is set. Messages of exceptions quote what was at hand, such as the phone
that was there already, so they are told only where they cannot.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, ProgrammingError

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


class Formatter(logging.Formatter):
    """For LOGGING. `form` is "line" or "json"."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.render = as_json if form == "json" else as_line

    def format(self, record: logging.LogRecord) -> str:
        return self.render(fields_of(record))


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a line says, in its order."""
    said: dict[str, Any] = {
        "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": record.getMessage(),
    }
    if request_id := request_context.current_request_id():
        said["request_id"] = request_id
    more = vars(record)
    said |= {name: more[name] for name in FIELDS if more.get(name) is not None}
    said["process"] = record.process
    if record.exc_info and record.exc_info[1]:
        said["exception"] = format_exception(record.exc_info[1])
    return said


def as_json(said: dict[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, default=str)


def as_line(said: dict[str, Any]) -> str:
    exception = said.pop("exception", "")
    words = [said.pop("timestamp"), said.pop("level").upper(), said.pop("logger"), said.pop("event")]
    del said["process"]
    if request_id := said.pop("request_id", None):
        said["request_id"] = request_id  # long, so it comes last
    line = " ".join([*words, *(f"{name}={value}" for name, value in said.items())])
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
