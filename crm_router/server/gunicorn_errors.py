"""Problem documents also for what is refused outside Django: by gunicorn, because it is no HTTP, and by our worker."""

import socket
from typing import Any

from gunicorn import util

from core import request_context
from core.api import problems
from core.request_context import RequestContext
from crm_router.observability import requests


def write_problem(sock: socket.socket, status: int, reason: str, message: str) -> None:
    """Takes the place of `gunicorn.util.write_error`, which writes a page of HTML.

    `message` says what gunicorn did not like; it is empty for a fault of ours, with the exception still at hand.
    """
    call = requests.begin_request({})  # gunicorn does not hand on what it could read
    with request_context.current_request(call):
        document = (
            problems.problem_document(status, detail=f"{message}.")
            if message
            else problems.incident_document("Django was not reached")
        )
    util.write_nonblock(sock, problem_bytes(document, call=call, method=None))


def problem_bytes(document: dict[str, Any], *, call: RequestContext, method: str | None) -> bytes:
    """The whole answer, as log and metrics have been told of it. `method` is None where it could not be read."""
    requests.log_refused_request(call, method=method, status=document["status"], code=document["code"])
    body = problems.to_bytes(document)
    again = f"Retry-After: {problems.RETRY_AFTER}\r\n" if document["status"] == 503 else ""
    head = (
        f"HTTP/1.1 {document['status']} {document['title']}\r\n"
        f"Content-Type: {problems.MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"X-Request-ID: {call.request_id}\r\n"
        f"{again}Connection: close\r\n\r\n"
    )
    return head.encode("latin-1") + body
