"""Clients that send slowly or never read their answer hold no thread of the service, because nginx buffers for them."""

import socket
import ssl
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.service.conftest import StartService
from tests.service.nginx import Nginx
from tests.service.running import PATIENCE, free_port

pytestmark = [pytest.mark.service, pytest.mark.nginx, pytest.mark.once]

POST = b"POST /api/v1/operators HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SLOWLY = {
    "nothing at all": (b"", b""),
    "headers": (b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"a"),
    "a body": (POST + b"Content-Length: 1000\r\n\r\n", b" "),
    "a body in chunks": (POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
}
LARGE = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"  # whose answer is larger than a socket holds


def connect(address: tuple[str, int], trust: ssl.SSLContext, own: str) -> socket.socket:
    """With a small buffer for what is sent to it and not read."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(PATIENCE)
    client.bind((own, 0))
    client.connect(address)
    return trust.wrap_socket(client, server_hostname="localhost")


@contextmanager
def slow_clients(front: Nginx, begin: bytes, more: bytes, *, count: int, addresses: int = 4) -> Iterator[None]:
    """Each sends the beginning, and then one piece a second until it is disconnected; none reads an answer.

    They come from several addresses, because nginx allows 100 connections from each.
    """
    enough = threading.Event()
    with ExitStack() as stack:
        clients = [connect(front.address, front.trust, f"127.0.0.{2 + number % addresses}") for number in range(count)]
        for client in clients:
            stack.enter_context(client)
            client.sendall(begin)

        def send() -> None:
            while more and not enough.wait(1):
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


def test_200_slow_senders_and_200_clients_that_never_read_leave_the_service_answering(
    start: StartService, nginx: Callable[..., Nginx]
) -> None:
    service = start(WEB_CONCURRENCY="1", WEB_THREADS="2").wait_until_up()
    front = nginx(service.address[1], free_port())
    for what, (begin, more) in SLOWLY.items():
        with slow_clients(front, begin, more, count=200):
            assert typical_seconds(front) < 1, what
    with slow_clients(front, LARGE, b"", count=200):
        assert typical_seconds(front) < 1, "never reads"


def typical_seconds(front: Nginx) -> float:
    """The median of 20 requests: one alone may meet a busy machine."""
    taken = []
    for _ in range(20):
        begun = time.monotonic()
        assert front.get("/health")[0].status == 200
        taken.append(time.monotonic() - begun)
    return statistics.median(taken)
