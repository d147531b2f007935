"""Clients that send slowly, or nothing, or do not read, take no thread from anybody else."""

import socket
import sqlite3
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest

from tests.service.conftest import StartService
from tests.service.running import PATIENCE, Service, wait_until

pytestmark = [pytest.mark.service, pytest.mark.once]

POST = b"POST /api/v1/operators HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = b'{"name": "Anna", "max_load": 5}'
SLOWLY = {
    "nothing at all": (b"", b""),
    "headers": (b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"a"),
    "a body": (POST + b"Content-Length: 1000\r\n\r\n", b" "),
    "a body in chunks": (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
}


def connect(service: Service) -> socket.socket:
    return socket.create_connection(service.address, timeout=PATIENCE)


@contextmanager
def slow_clients(
    address: tuple[str, int], begin: bytes, more: bytes, *, count: int, trust: ssl.SSLContext | None = None
) -> Iterator[None]:
    """Each sends the beginning at once, and then one piece a second, until it is sent away."""
    enough = threading.Event()
    with ExitStack() as stack:
        # Another address of this machine: what nginx counts by address shall not count against us.
        clients = [socket.create_connection(address, PATIENCE, ("127.0.0.2", 0)) for _ in range(count)]
        if trust:
            clients = [trust.wrap_socket(client, server_hostname="localhost") for client in clients]
        for client in clients:
            stack.enter_context(client)
            client.sendall(begin)

        def send() -> None:
            while not enough.wait(1):
                for client in clients:
                    with suppress(OSError):
                        client.sendall(more)

        sender = threading.Thread(target=send)
        sender.start()
        try:
            yield
        finally:
            enough.set()
            sender.join()


def test_two_hundred_slow_clients_leave_the_service_answering(start: StartService) -> None:
    service = start(WEB_CONCURRENCY="1", WEB_THREADS="2", REQUEST_TIMEOUT="60").wait_until_up()
    for what, (begin, more) in SLOWLY.items():
        with slow_clients(service.address, begin, more, count=200):
            for number in range(20):
                service.post("/operators", {"name": f"While {what} comes: {number}", "max_load": 5})
    assert len(service.get("/api/v1/operators")[1]) == 20 * len(SLOWLY)


def test_who_takes_too_long_is_sent_away(start: StartService) -> None:
    service = start(REQUEST_TIMEOUT="1").wait_until_up()
    with connect(service) as silent, connect(service) as slow:
        slow.sendall(POST)
        assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")
        assert silent.recv(1000) == b""


def test_who_does_not_hang_up_holds_up_nobody(start: StartService) -> None:
    service = start(WEB_CONCURRENCY="1", WEB_THREADS="1").wait_until_up()
    with ExitStack() as stack:
        for _ in range(50):
            client = stack.enter_context(connect(service))
            client.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
        assert service.get("/health")[0] == 200


def test_requests_may_come_in_one_piece_and_are_answered_in_order(service: Service) -> None:
    post = POST + f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY
    with connect(service) as client:
        client.sendall(post + b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(10_000), b""))
    assert answer.startswith(b"HTTP/1.1 201 ")
    assert answer.endswith(b'{"status": "ok"}')


def test_who_asks_first_is_told_to_go_on(service: Service) -> None:
    with connect(service) as client:
        client.sendall(POST + f"Content-Length: {len(BODY)}\r\nExpect: 100-continue\r\n\r\n".encode())
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(BODY)
        assert client.recv(1000).startswith(b"HTTP/1.1 201 ")


REFUSED = [
    (POST + b"Content-Length: 99999999\r\n\r\n", b"HTTP/1.1 413 "),
    (POST + b"Content-Length: 300000\r\n\r\n" + b" " * 300_000, b"HTTP/1.1 413 "),
    (b"nonsense\r\n\r\n", b"HTTP/1.1 400 "),
    (b"\r\n\r\n", b"HTTP/1.1 400 "),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nfive\r\n", b"HTTP/1.1 400 "),
    (b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000, b"HTTP/1.1 431 "),
]


def test_what_cannot_be_served_is_refused_and_the_answer_arrives(service: Service) -> None:
    for sent, answer in REFUSED:
        with connect(service) as client:
            client.sendall(sent)
            assert client.recv(1000).startswith(answer), sent[:100]


def test_who_does_not_read_the_answer_is_left_after_a_while(start: StartService) -> None:
    service = start(WEB_CONCURRENCY="1", WEB_THREADS="1", REQUEST_TIMEOUT="1").wait_until_up()
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.connect(service.address)
        client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
        wait_until(lambda: service.get("/health")[0] == 200, "somebody else is answered")


@contextmanager
def only_thread_held(service: Service) -> Iterator[None]:
    """By requests that wait for a writer who does not come to an end."""
    path = service.env["DATABASE_URL"].removeprefix("sqlite:///")
    with ExitStack() as stack:
        writer = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
        writer.execute("BEGIN IMMEDIATE")
        for _ in range(5):
            stack.enter_context(connect(service)).sendall(POST + f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY)
        yield


def test_whole_requests_that_wait_for_a_thread_fill_the_memory_too(start: StartService) -> None:
    body = b" " * 30_000_000  # two of them are below the 64 MiB that a worker holds
    large = b"POST /api/v1/contacts/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    large += f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    few = {"WEB_CONCURRENCY": "1", "WEB_THREADS": "1", "REQUEST_TIMEOUT": "60", "MAX_BATCH_BYTES": str(len(body))}
    service = start(**few).wait_until_up()
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(service)) for _ in range(3)]
        with only_thread_held(service):
            for client in clients:
                client.sendall(large)
            refusal = clients[2].recv(1000)
        assert refusal.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nRetry-After: 1\r\n" in refusal
        assert b'"code": "no_room"' in refusal
        assert [client.recv(1000)[:12] for client in clients[:2]] == [b"HTTP/1.1 400"] * 2
