"""The request that this thread is answering, for everything that is said meanwhile."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

# Ours and those of common proxies and tracers. No spaces, no @ and no +: neither forged lines nor addresses of people.
REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/=-]{7,63}")


@dataclass(slots=True)
class RequestContext:
    request_id: str
    traceparent: str = ""
    events: list[Any] = field(default_factory=list)  # what `core.events` published meanwhile


current: ContextVar[RequestContext | None] = ContextVar("call", default=None)


def current_request_id() -> str | None:
    """Of the request that is being answered; None outside of any."""
    call = current.get()
    return call.request_id if call else None


@contextmanager
def current_request(call: RequestContext) -> Iterator[None]:
    """What is said meanwhile is said of this request."""
    token = current.set(call)
    try:
        yield
    finally:
        current.reset(token)


def accept_or_create_id(given: str | None) -> str:
    """The caller's own id if it looks like one, else a new one."""
    return given if given and REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
