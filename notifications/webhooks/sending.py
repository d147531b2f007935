"""Sends one request to an address that a customer has named, and waits for the answer no longer than it may.

Redirects are not followed, addresses of private networks are refused when they are connected to (`addresses.policy`),
environment variables for proxies are ignored, and of the answer only the beginning is read. Each thread keeps its own
connections.
"""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ssl import SSLError
from typing import Any
from urllib.parse import urlsplit

import requests
from AntiSSRF import AntiSSRFError
from requests import exceptions
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ProtocolError

from notifications.models.webhook import ANSWER_LENGTH, Attempt
from notifications.webhooks import addresses
from notifications.webhooks.answers import Answer

Error = Attempt.Error

CONNECT_TIMEOUT = 5.0  # seconds, and as long again for the TLS handshake
TIMEOUT = 15.0  # for everything after the connection
ANSWER_TIMEOUT = 2.0  # for the body, which only people read
READ_BYTES = 4096
LOOK_EVERY = 0.25


@dataclass(slots=True)
class Exchange:
    """The request of one thread that is under way."""

    ends_at: float
    host: str
    connection: Any = None
    has_expired: bool = False


@dataclass(slots=True)
class Watch:
    """Ends exchanges that take too long, by shutting their sockets down.

    The time-outs of sockets limit each read, not their sum: an answer that comes byte by byte would never end.
    """

    exchanges: dict[int, Exchange] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_running: bool = False

    @contextmanager
    def limit(self, exchange: Exchange) -> Iterator[None]:
        with self.lock:
            self.exchanges[threading.get_ident()] = exchange
            if not self.is_running:
                self.is_running = True
                threading.Thread(target=self.run, name="webhook time-outs", daemon=True).start()
        try:
            yield
        finally:
            with self.lock:
                del self.exchanges[threading.get_ident()]

    def run(self) -> None:
        """Ends when there is nothing left to watch."""
        while True:
            time.sleep(LOOK_EVERY)
            with self.lock:
                for exchange in self.exchanges.values():
                    expire_if_late(exchange)
                if not self.exchanges:
                    self.is_running = False
                    return

    def current(self) -> Exchange | None:
        return self.exchanges.get(threading.get_ident())


def expire_if_late(exchange: Exchange) -> None:
    """Under the watch's lock, so that the connection is not used for the next exchange meanwhile."""
    if time.monotonic() < exchange.ends_at:
        return
    exchange.has_expired = True
    sock = getattr(exchange.connection, "sock", None)
    if sock is not None:
        with suppress(OSError):  # it is closed already
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # not SSLSocket's own, which another thread is reading


watch = Watch()


class Watched:
    """Shows its socket to the watch. Names the port in the header Host, where it is not the usual one."""

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any) -> None:
        if exchange := watch.current():
            exchange.connection = self
            headers = {**headers, "Host": exchange.host}
        super().request(method, url, body=body, headers=headers, **options)  # type: ignore[misc] # of the connection


class WatchedHTTPConnection(Watched, HTTPConnection):
    pass


class WatchedHTTPSConnection(Watched, HTTPSConnection):
    pass


class WatchedHTTPPool(HTTPConnectionPool):
    ConnectionCls = WatchedHTTPConnection


class WatchedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = WatchedHTTPSConnection


sessions = threading.local()


def thread_session() -> requests.Session:
    """The session of this thread. Only its adapters are used: they know no redirects, cookies and proxies."""
    if not hasattr(sessions, "own"):
        sessions.own = addresses.policy().get_antissrf_session()
        for adapter in sessions.own.adapters.values():
            adapter.poolmanager.pool_classes_by_scheme = {"http": WatchedHTTPPool, "https": WatchedHTTPSPool}
    session: requests.Session = sessions.own
    return session


def close_session() -> None:
    """Closes the connections of this thread."""
    if hasattr(sessions, "own"):
        sessions.own.close()
        del sessions.own


def post(url: str, *, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Sends the body; any 2xx accepts it. Raises nothing that the address or its answer can cause."""
    began = time.monotonic()
    status, text, error = None, "", None
    exchange = Exchange(ends_at=began + CONNECT_TIMEOUT + TIMEOUT, host="")
    with watch.limit(exchange):
        try:
            request = requests.Request("POST", url, headers=dict(headers), data=body).prepare()
            exchange.host = urlsplit(str(request.url)).netloc
            adapter = thread_session().get_adapter(str(request.url))
            response = adapter.send(request, stream=True, timeout=(CONNECT_TIMEOUT, TIMEOUT), verify=True)
            if exchange.has_expired:  # of headers that were cut off, http.client makes an answer without the rest
                raise TimeoutError
            status = response.status_code
            error = error_of_status(status)
            exchange.ends_at = min(exchange.ends_at, time.monotonic() + ANSWER_TIMEOUT)
            text = read_beginning(response)
        except (AntiSSRFError, OSError, ValueError, HTTPError) as raised:
            if status is None:
                error = Error.TIMEOUT if exchange.has_expired else error_of(raised)
    return Answer(status, error, text, round((time.monotonic() - began) * 1000))


def error_of_status(status: int) -> Attempt.Error | None:
    if 200 <= status < 300:
        return None
    return Error.REDIRECT if 300 <= status < 400 else Error.STATUS


def read_beginning(response: requests.Response) -> str:
    """At most so many bytes. The connection is kept only if that is all."""
    try:
        beginning = response.raw.read(READ_BYTES, decode_content=False)
        if not response.raw.read(1, decode_content=False):
            response.raw.release_conn()
    finally:
        if response.raw.connection is not None:
            response.raw.close()
    return beginning.decode("utf-8", "replace").replace("\x00", "\ufffd")[:ANSWER_LENGTH]


def error_of(raised: BaseException) -> Attempt.Error:
    """What has happened, by the exception and its causes."""
    causes = [raised]
    while cause := causes[-1].__context__:
        causes.append(cause)
    for kind, error in ERRORS.items():
        if any(isinstance(one, kind) for one in causes):
            return error
    return Error.BROKEN_ANSWER


ERRORS: dict[type[BaseException], Attempt.Error] = {
    AntiSSRFError: Error.PRIVATE_ADDRESS,
    socket.gaierror: Error.UNKNOWN_HOST,
    UnicodeError: Error.UNKNOWN_HOST,  # a label that is too long for DNS
    SSLError: Error.TLS,
    exceptions.Timeout: Error.TIMEOUT,
    TimeoutError: Error.TIMEOUT,
    ProtocolError: Error.BROKEN_ANSWER,
    OSError: Error.UNREACHABLE,
}
