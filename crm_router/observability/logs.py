"""The format of log lines: text for people, or JSON for programs (docs/observability.md).

Personal data are left out unless LOG_PERSONAL_DATA is set. Messages of exceptions may quote data, such as a phone that
exists already, so they are logged only for exception types that cannot.
"""

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, ProgrammingError

from core import request_context
from core.db.faults import fault_of

# The fields of a record that are logged. Others are not, because Django adds complete requests to some records.
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

# Errors about programs, networks and files; of database errors only the first line, because values may follow.
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
CAUSES = 10  # logged causes of an exception, at most


class Formatter(logging.Formatter):
    """The formatter for LOGGING. `form` is "line" or "json"."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.render = as_json if form == "json" else as_line

    def format(self, record: logging.LogRecord) -> str:
        return self.render(fields_of(record))


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """The fields of a log line, in their order."""
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


as_json = json.JSONEncoder(ensure_ascii=False, default=str).encode


def as_line(said: dict[str, Any]) -> str:
    exception = said.pop("exception", "")
    words = [said.pop("timestamp"), said.pop("level").upper(), said.pop("logger"), said.pop("event")]
    del said["process"]
    if request_id := said.pop("request_id", None):
        said["request_id"] = request_id  # long, so it comes last
    line = " ".join([*words, *(f"{name}={value}" for name, value in said.items())])
    return f"{line}\n{exception}" if exception else line


def format_exception(error: BaseException) -> str:
    """The traceback in Python's order, the first cause at the top, without messages that may contain personal data."""
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
    """The message of an error that cannot contain personal data, or of any error with LOG_PERSONAL_DATA; else empty."""
    if settings.LOG_PERSONAL_DATA:
        return str(error)
    return str(error).partition("\n")[0] if isinstance(error, HARMLESS) or fault_of(error) else ""


class WithoutClients(logging.Filter):
    """Removes client data from the server's messages: addresses, paths and parts of requests."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not settings.LOG_PERSONAL_DATA and record.name.startswith("gunicorn"):
            for beginning in ("Invalid request", "Error handling request"):
                if str(record.msg).startswith(beginning):
                    record.msg, record.args = beginning, ()
        return True
