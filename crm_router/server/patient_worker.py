"""gunicorn's threaded worker, with patience: a thread gets a request when it has arrived whole, and not before.

gunicorn's own gives every new connection a thread, which then waits for the client. As many slow clients as there are
threads would silence the service. Here the one loop that watches all connections collects what comes in, as a proxy
with buffers would; a client that takes longer than REQUEST_TIMEOUT is sent away.
"""

import errno
import selectors
import socket
import time
from contextlib import suppress
from http import HTTPStatus
from itertools import chain, takewhile
from typing import Any

from django.conf import settings
from gunicorn.workers.gthread import TConn, ThreadWorker

from core.api import problems
from crm_router.observability import requests
from crm_router.server import gunicorn_errors
from crm_router.server.arrival import Arrival, Refused

AT_ONCE = 64 * 1024  # bytes read from one connection before the next one's turn
GO_AHEAD = b"HTTP/1.1 100 Continue\r\n\r\n"
# Bytes of requests, unfinished or waiting for a thread, that one worker holds. Beyond that it takes small ones only.
MEMORY = 64 * 1024 * 1024
NO_ROOM = problems.problem_document(
    503, "no_room", "This process holds as many requests as it can now; please try again."
)


class Connection(TConn):  # type: ignore[misc] # gunicorn has no types
    refused = False

    def expect_request(self) -> None:
        self.sock.setblocking(False)
        self.arrival = Arrival(most=max(settings.MAX_BODY_BYTES, settings.MAX_BATCH_BYTES))
        if self.parser:  # what came behind the request before
            self.arrival.received += self.parser.unreader.take_buffered()
        self.deadline = time.monotonic() + settings.REQUEST_TIMEOUT

    def arrives(self, data: bytes) -> bool:
        """Whether these bytes make the request whole."""
        self.arrival.received += data
        try:
            self.data_ready = self.arrival.is_whole()
        except Refused as refused:
            self.refuse(problems.problem_document(refused.status))
            return False
        if self.arrival.waits_for_go_ahead and not self.data_ready:
            self.arrival.waits_for_go_ahead = False
            with suppress(OSError):
                self.sock.send(GO_AHEAD)
        return self.data_ready

    def init(self) -> None:
        """Called by the thread that is to answer, before it reads."""
        super().init()
        self.parser.unreader.unread(bytes(self.arrival.received))
        self.arrival.received.clear()
        # For the whole answer: nor does a thread wait for ever for a client that does not read.
        self.sock.settimeout(settings.REQUEST_TIMEOUT)

    def close(self, graceful: bool = False) -> None:
        """At once: nothing is left unread, so the client gets the whole answer without our lingering for it.

        gunicorn would wait for the client to hang up first, and all other clients with it.
        """
        super().close(graceful=False)

    def refuse(self, document: dict[str, Any]) -> None:
        method, request_id = self.arrival.beginning()
        self.refused = True
        self.arrival.received.clear()
        call = requests.begin_request({"HTTP_X_REQUEST_ID": request_id})
        answer = gunicorn_errors.problem_bytes(document, call=call, method=method)
        with suppress(OSError):
            self.sock.send(answer)
            self.sock.shutdown(socket.SHUT_WR)


class PatientWorker(ThreadWorker):  # type: ignore[misc] # likewise
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.arriving: dict[Connection, None] = {}  # in the order of their deadlines
        self.whole: set[Connection] = set()  # given to the threads, which may be busy with others

    def accept(self, listener: socket.socket) -> bool:
        """Whether there was somebody at the door."""
        try:
            client, address = listener.accept()
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.ECONNABORTED):
                return False  # another worker was faster, or the client has gone
            raise
        self.nr_conns += 1
        self.enqueue_req(Connection(self.cfg, client, address, listener.getsockname()))
        return True

    def enqueue_req(self, conn: Connection) -> None:
        """Every connection comes by here: new ones, and those kept open whose client has something to say again."""
        conn.expect_request()
        self.read(conn)

    def read(self, conn: Connection) -> None:
        """Gives the request to a thread if that was the rest of it; waits for more, or refuses it, otherwise.

        Of a refused one the rest is read and thrown away until its client hangs up: the system would take the answer
        back if we hung up first.
        """
        data: bytes | None
        try:
            data = conn.sock.recv(AT_ONCE)
        except BlockingIOError:
            data = None  # nothing yet; but the request may have come right behind the one before
        except OSError:
            data = b""
        is_whole = not conn.refused and conn.arrives(data or b"")
        if not conn.refused and len(conn.arrival.received) > AT_ONCE and self.held() > MEMORY:
            conn.refuse(NO_ROOM)
        if is_whole and not conn.refused:
            self.forget(conn)
            self.whole.add(conn)
            super().enqueue_req(conn)
        elif data == b"":
            if conn.arrival.received and not conn.refused:
                conn.refuse(
                    problems.problem_document(HTTPStatus.BAD_REQUEST)
                )  # it broke off; the client may still listen
            self.drop(conn)
        else:
            self.wait_for_more(conn)

    def wait_for_more(self, conn: Connection) -> None:
        if conn not in self.arriving:
            self.arriving[conn] = None
            self.poller.register(conn.sock, selectors.EVENT_READ, lambda _: self.read(conn))

    def held(self) -> int:
        """Bytes that no thread has taken yet."""
        return sum(len(conn.arrival.received) for conn in chain(self.arriving, self.whole))

    def finish_request(self, conn: Connection, fs: Any) -> None:
        self.whole.discard(conn)
        super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        """Called once a second and more often: sends away who has not sent a whole request in time."""
        now = time.monotonic()
        for conn in list(takewhile(lambda conn: conn.deadline < now, self.arriving)):
            if conn.arrival.received and not conn.refused:
                conn.refuse(problems.problem_document(HTTPStatus.REQUEST_TIMEOUT))
            self.drop(conn)

    def drop(self, conn: Connection) -> None:
        self.forget(conn)
        self.nr_conns -= 1
        conn.close()

    def forget(self, conn: Connection) -> None:
        if conn in self.arriving:
            del self.arriving[conn]
            self.poller.unregister(conn.sock)

    def is_parent_alive(self) -> bool:
        """A worker whose master has died stops as if it had been told to.

        gunicorn's would serve its open connections as ever for `graceful_timeout`, and leave all others at the door.
        """
        if not super().is_parent_alive():
            self.alive = False
        return bool(self.alive)

    def set_accept_enabled(self, enabled: bool) -> None:
        """A worker that stops takes in who stands at the door, and then closes it.

        gunicorn would leave it open without looking until the end, and then turn all of them away.
        """
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                listener.setblocking(False)
                while self.nr_conns < self.worker_connections and self.accept(listener):
                    pass
                listener.close()
