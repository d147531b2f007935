"""The current request of this thread, for log lines, metrics and traces."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

# Our ids and those of common proxies and tracers. No spaces, @ or +: no forged log lines, e-mails or phones.
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/=-]{7,63}")


@dataclass(slots=True)
class RequestContext:
    request_id: str
    traceparent: str = ""
    events: list[Any] = field(default_factory=list)  # published by `core.events` during the request


current: ContextVar[RequestContext | None] = ContextVar("call", default=None)


def current_request_id() -> str | None:
    """The id of the current request; None outside a request."""
    call = current.get()
    return call.request_id if call else None


@contextmanager
def current_request(call: RequestContext) -> Iterator[None]:
    """Makes `call` the current request inside the block."""
    token = current.set(call)
    try:
        yield
    finally:
        current.reset(token)


def accept_or_create_id(given: str | None) -> str:
    """The caller's request id if it is valid, else a new one."""
    return given if given and REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
