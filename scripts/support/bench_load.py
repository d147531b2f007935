"""Clients in a closed loop: each keeps one connection and sends the next request when the answer is there.

One thread drives them all, because the clients' share of a small machine falsifies what is measured.
"""

import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Load:
    """What came of it. `latencies` in seconds, one for each answer; `failures` are the first lines of bad answers."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Client:
    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> None:
        self.received = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def hears_the_end(self) -> bool:
        """Reads what has come. Raises ConnectionError when the server hangs up."""
        piece = self.socket.recv(65_536)
        if not piece:
            raise ConnectionError("The server hung up in the middle of an answer.")
        self.received += piece
        head, end, body = self.received.partition(b"\r\n\r\n")
        return bool(end) and len(body) >= length_in(head)


def length_in(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ConnectionError("The answer does not say how long it is.")


def drive(address: tuple[str, int], requests: Iterator[bytes], *, clients: int) -> Load:
    """Sends all these requests; every answer should be a 201."""
    load = Load()
    with selectors.DefaultSelector() as selector:
        for request, _ in zip(requests, range(clients), strict=False):
            client = Client(address)
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.send(request)
        started = time.perf_counter()
        while selector.get_map():
            for key, _ in selector.select(timeout=60):
                client = key.data
                if client.hears_the_end():
                    note(load, client)
                    if (following := next(requests, None)) is not None:
                        client.send(following)
                    else:
                        selector.unregister(client.socket)
                        client.socket.close()
        load.seconds = time.perf_counter() - started
    return load


def note(load: Load, client: Client) -> None:
    load.latencies.append(time.perf_counter() - client.sent_at)
    first_line = client.received.split(b"\r\n", 1)[0]
    if b" 201 " not in first_line:
        load.failures.append(client.received.decode(errors="replace"))
