"""Clients in a closed loop: each keeps one connection and sends its next request when the answer has arrived.

One thread drives them all, because on a small machine the processor time of the clients distorts the measurement.
"""

import selectors
import socket
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass
class Load:
    """`latencies` in seconds, one for each answer. `answers` are whole, heads included, in the order of arrival."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)

    def failures(self) -> list[bytes]:
        """Answers that are neither 200 nor 201, and those to a batch in which an item was refused."""
        return [one for one in self.answers if one[9:12] not in (b"200", b"201") or b'"status":400' in one]

    def bodies(self) -> list[bytes]:
        return [one.partition(b"\r\n\r\n")[2] for one in self.answers]


class Client:
    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> None:
        self.received = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Reads what has arrived; whether that is the whole answer. Raises ConnectionError if the server hangs up."""
        piece = self.socket.recv(1_048_576)
        if not piece:
            raise ConnectionError("The server closed the connection in the middle of an answer.")
        self.received += piece
        head, end, body = self.received.partition(b"\r\n\r\n")
        return bool(end) and len(body) >= length_in(head)


def length_in(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ConnectionError("The answer has no Content-Length.")


def drive(addresses: Sequence[tuple[str, int]], requests: Iterable[bytes], *, clients: int) -> Load:
    """The clients take the addresses in turns, and the requests in their order."""
    load, waiting = Load(), iter(requests)
    with selectors.DefaultSelector() as selector:
        for number, request in zip(range(clients), waiting, strict=False):
            client = Client(addresses[number % len(addresses)])
            selector.register(client.socket, selectors.EVENT_READ, client)
            client.send(request)
        started = time.perf_counter()
        while selector.get_map():
            for key, _ in selector.select(timeout=60):
                client = key.data
                if client.receive():
                    load.latencies.append(time.perf_counter() - client.sent_at)
                    load.answers.append(client.received)
                    if (following := next(waiting, None)) is not None:
                        client.send(following)
                    else:
                        selector.unregister(client.socket)
                        client.socket.close()
        load.seconds = time.perf_counter() - started
    return load
