"""Who is told: a program that gets webhooks, a mail server, and a program that reads `GET /events`."""

import json
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

from aiosmtpd.controller import Controller

REFUSED = 1 / 300  # of the calls of a webhook
WAIT = 5  # seconds that a read of events waits


@dataclass(frozen=True, slots=True)
class Told:
    """An event that somebody was told. `subjects`: of which it comes in order: the contact, or of a change the operator
    and the source."""

    id: int
    type: str
    subjects: tuple[tuple[str, int], ...]
    at: float  # seconds since 1970, by the clock of the machine


def told(event_id: int, type_: str, data: dict[str, Any], at: float) -> Told:
    names = {"contact": data.get("id")} if type_.startswith("contact.") else {}
    if type_.endswith(".changed"):
        names = {name: data.get(f"{name}_id") for name in ("operator", "source")}
    return Told(event_id, type_, tuple((name, pk) for name, pk in names.items() if pk is not None), at)


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Of a delivery worker that was killed there is nothing to print."""


class Receiver:
    """The addresses of webhooks, by name. Some calls are refused, and come again."""

    def __init__(self, seed: int) -> None:
        self.accepted: dict[str, list[Told]] = defaultdict(list)
        self.refused, self.lock, chance = 0, threading.Lock(), Random(seed)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                event = int(self.headers["webhook-id"].removeprefix("evt_"))
                with receiver.lock:
                    is_refused = chance.random() < REFUSED
                    if is_refused:
                        receiver.refused += 1
                    else:
                        arrived = told(event, body["type"], body["data"], time.time())
                        if not arrived.type.startswith("contact."):
                            arrived = replace(arrived, subjects=())  # which are promised in no order
                        receiver.accepted[self.path.strip("/")].append(arrived)
                self.send_response(HTTPStatus.SERVICE_UNAVAILABLE if is_refused else HTTPStatus.NO_CONTENT)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = QuietServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{name}"

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class MailServer:
    """Counts the mails to each address."""

    def __init__(self) -> None:
        self.mails: dict[str, int] = defaultdict(int)
        with socket.socket() as probe:  # aiosmtpd cannot be asked which port the system has chosen
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        for address in envelope.rcpt_tos:
            self.mails[address] += 1
        return "250 OK"

    def end(self) -> None:
        self.controller.stop()


Call = Callable[[str, str], tuple[int, Any]]


class Poller:
    """Reads all events from the beginning, by a cursor, as long as it is not ended."""

    def __init__(self, call: Call) -> None:
        self.call, self.told, self.pages = call, list[Told](), 0
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self) -> None:
        cursor = "0"
        while not self.ending.is_set():
            status, page = self.call("GET", f"/events?after={cursor}&wait={WAIT}")
            if status == HTTPStatus.OK:
                now, cursor, self.pages = time.time(), page["cursor"], self.pages + 1
                self.told += [told(event["id"], event["type"], event["data"], now) for event in page["events"]]
            self.ending.wait(0.1)

    def end(self) -> None:
        self.ending.set()
        self.thread.join()
