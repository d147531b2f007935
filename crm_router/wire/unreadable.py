"""Problem documents also for what gunicorn itself refuses, because it cannot be read as HTTP."""

import socket

from gunicorn import util

from crm_router.wire import problems


def write_problem(sock: socket.socket, status: int, reason: str, message: str) -> None:
    """Takes the place of `gunicorn.util.write_error`, which writes a page of HTML.

    `message` says what gunicorn did not like; it is empty for a fault of ours, with the exception still at hand.
    """
    document = (
        problems.problem(status, detail=f"{message}.") if message else problems.incident("Django was not reached")
    )
    body = problems.to_bytes(document)
    head = (
        f"HTTP/1.1 {status} {reason}\r\n"
        f"Content-Type: {problems.MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    util.write_nonblock(sock, head.encode("latin-1") + body)
