"""Requests that are not HTTP, and bodies that are too large or break off, though Django never sees them."""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.service.conftest import StartService
from tests.service.running import PATIENCE, Service

pytestmark = [pytest.mark.service, pytest.mark.once]

HOST = b"Host: localhost\r\n"
POST = b"POST /api/v1/operators HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

NOT_HTTP = {
    b"\x16\x03\x01 hello\r\n\r\n": 400,
    b"get / HTTP/1.1\r\n" + HOST + b"\r\n": 400,
    b"GET / HTTP/3.0\r\n" + HOST + b"\r\n": 400,
    b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n": 400,
    b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n": 400,
    b"GET / HTTP/1.1\r\nHost: a b\xff<>\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\nHost:\r\n\r\n": 400,
    b"GET / HTTP/1.1\r\n" + HOST + b"X-Name: a\0b\r\n\r\n": 400,
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n": 414,
    b"GET / HTTP/1.1\r\n" + HOST + b"X-Name: " + b"a" * 9000 + b"\r\n\r\n": 431,
    POST + b"Content-Length: many\r\n\r\n": 400,
    POST + b"Content-Length: -1\r\n\r\n": 400,
    POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n": 400,
    CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n": 400,
    CHUNKED + b"2\r\n{}XX0\r\n\r\n": 400,
}
BAD_BODIES = {
    POST + b"Content-Length: 30\r\n\r\n{}": 400,
    POST + b"Content-Length: 9999999999\r\n\r\n" + b"x" * 300_000: 413,
    POST + b"Content-Length: 9000000\r\n\r\n" + b"x" * 9_000_000: 413,
    CHUNKED + b"30\r\n{}": 400,
    CHUNKED + b"900000\r\n" + b"x" * 0x900000 + b"\r\n0\r\n\r\n": 413,
}


def send(service: Service, request: bytes) -> bytes:
    """Everything that comes back until the service hangs up. Nothing more is sent after the request."""
    with socket.create_connection(service.address, timeout=PATIENCE) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def received(connection: socket.socket) -> Iterator[bytes]:
    """What comes back until the service hangs up, also if it has not read everything that was sent."""
    with suppress(ConnectionResetError):
        yield from iter(lambda: connection.recv(65536), b"")


def test_a_refusal_leaves_no_trace_of_the_body_on_a_connection_that_is_kept(start: StartService) -> None:
    service = start(API_KEYS="required").wait_until_up()
    body = b" " * 200_000
    with socket.create_connection(service.address, timeout=PATIENCE) as connection:
        connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        connection.sendall(b"GET /health HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answers.startswith(b"HTTP/1.1 401 ")
    assert b"\r\nConnection: keep-alive\r\n" in answers
    assert answers.endswith(b'{"status": "ok"}')


HEALTH = b"GET /health HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
MIB = 1024 * 1024


@pytest.mark.parametrize(
    "refused",
    [
        POST + b"Content-Length: %d\r\n\r\n" % (3 * MIB) + b" " * (3 * MIB),
        CHUNKED + b"%x\r\n" % (3 * MIB) + b" " * (3 * MIB) + b"\r\n0\r\n\r\n",
        POST + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        POST + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
        b"GET /health HTTP/1.1\r\n\r\n",
    ],
    ids=["too large", "too large in chunks", "not gzip", "unknown encoding", "without Host"],
)
def test_a_connection_that_is_said_to_be_kept_after_a_refusal_is_kept(shared_service: Service, refused: bytes) -> None:
    with socket.create_connection(shared_service.address, timeout=PATIENCE) as connection:
        connection.sendall(refused + HEALTH)
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b"\r\nConnection: keep-alive\r\n" in answers.partition(b"\r\n\r\n")[0]
    assert answers.endswith(b'{"status": "ok"}')


@pytest.mark.parametrize(
    "refused",
    [
        POST + b"Content-Length: %d\r\n\r\n" % (64 * MIB) + b" " * (17 * MIB),
        CHUNKED + (b"100000\r\n" + b" " * MIB + b"\r\n") * 20,
        CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    ],
    ids=["without end", "without end in chunks", "broken chunk"],
)
def test_a_connection_that_is_closed_after_a_refusal_is_said_to_be_closed(
    shared_service: Service, refused: bytes
) -> None:
    with socket.create_connection(shared_service.address, timeout=PATIENCE) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # the service hangs up before it has received everything
            connection.sendall(refused)
        answer = b"".join(received(connection))
    head = answer.partition(b"\r\n\r\n")[0]
    assert b"\r\nConnection: close" in head
    assert answer.count(b"HTTP/1.1 ") == 1


def test_a_bad_body_gets_a_problem_document(shared_service: Service) -> None:
    for request, status in BAD_BODIES.items():
        head, _, body = send(shared_service, request).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status), (request[:80], head)
        assert b"Content-Type: application/problem+json" in head, request[:80]
        assert json.loads(body)["status"] == status


def test_what_is_not_http_is_refused_by_gunicorn(shared_service: Service) -> None:
    for request, status in NOT_HTTP.items():
        assert send(shared_service, request).startswith(b"HTTP/1.1 %d " % status), request[:80]
    assert shared_service.get("/health") == (200, {"status": "ok"})
