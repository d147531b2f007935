"""Programs of customers that receive webhooks: real HTTP servers, good and bad ones."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TIMEOUT = 60  # seconds


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Endpoint:
    """Answers each request with the next of `answers`, and with the last one from then on."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [200])
    received: list[Received] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    choose: Callable[[Received], int] | None = None  # instead of `answers`
    location: str = ""

    def take(self, request: Received) -> int:
        with self.changed:
            self.received.append(request)
            self.changed.notify_all()
            if not self.choose:
                return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return self.choose(request)  # may wait

    def wait_for(self, count: int) -> list[Received]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.received) >= count, TIMEOUT), self.received
            return list(self.received)


def handler_for(endpoint: Endpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status = endpoint.take(Received(self.path, dict(self.headers.items()), body))
            answer = b"thank you"
            self.send_response(status)
            if endpoint.location:
                self.send_header("Location", endpoint.location)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Tests look at what was received."""

    return Handler


@contextmanager
def serving(*answers: int) -> Iterator[Endpoint]:
    endpoint = Endpoint(answers=list(answers or (200,)))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(endpoint))
    server.daemon_threads = True
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def misbehaving(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that reads a request and then does this with the connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    connections: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        try:
            connection.recv(65536)
            answer(connection)
        except OSError:
            pass  # the client has gone, as it should

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append(connection)
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    finally:
        for one in [listener, *connections]:
            one.close()


def drip(text: bytes) -> Callable[[socket.socket], None]:
    """An answer that comes byte by byte, each before any time-out of a single read."""

    def answer(connection: socket.socket) -> None:
        for byte in text:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)

    return answer


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    drip(b"x" * 1000)(connection)


def hang(connection: socket.socket) -> None:
    """Reads whatever comes, and says nothing, until the client closes the connection."""
    while connection.recv(65536):
        pass


def huge(connection: socket.socket) -> None:
    """Ten megabytes."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n"
    connection.sendall(head + b"x" * 10_000_000)


def rubbish(connection: socket.socket) -> None:
    connection.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    connection.close()
