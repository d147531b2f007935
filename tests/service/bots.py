"""Bots that register contacts over kept-alive connections, side by side, and remember what they were answered."""

import http.client
import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Self

from tests.service.running import PATIENCE

AGAIN = {502, 503}  # nobody was there, or not able to: the same again is in order


@dataclass
class Bots:
    """`contacts` were answered with 201, `others` otherwise, some with `retry_after`. `refused` met nobody; `dropped`
    were lost on a connection that had worked. The `slowest` answer took so many seconds.

    Each has a `pause` of so many seconds between two messages. Without one they use all the processor time that there
    is, also while something else is to start."""

    address: tuple[str, int]
    source_id: int
    total: int
    together: int = 8
    pause: float = 0
    stop_when_refused: bool = False
    trust: ssl.SSLContext | None = None  # speak TLS with whoever this trusts
    contacts: list[dict[str, Any]] = field(default_factory=list)
    others: list[tuple[int, bytes]] = field(default_factory=list)
    retry_after: list[str | None] = field(default_factory=list)
    slowest: float = 0
    refused: int = 0
    dropped: int = 0
    ending: threading.Event = field(default_factory=threading.Event)

    def start(self) -> Self:
        self.numbers = iter(range(self.total))
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.bot, daemon=True) for _ in range(self.together)]
        for thread in self.threads:
            thread.start()
        return self

    def join(self) -> None:
        for thread in self.threads:
            thread.join(3 * PATIENCE)
            assert not thread.is_alive()

    def answered(self) -> int:
        return len(self.contacts)

    def bot(self) -> None:
        connection = None
        while (number := self.next_number()) is not None:
            connection = connection or self.connect()
            try:
                keeps = self.register(connection, number)
            except (OSError, http.client.HTTPException):
                keeps = False
                self.note_failure(connection, number)
                if self.stop_when_refused and not connection.served:
                    break
            if not keeps:
                connection.close()
                connection = None
            self.ending.wait(self.pause)
        if connection:
            connection.close()

    def connect(self) -> "Connection | SecureConnection":
        if self.trust:
            return SecureConnection(*self.address, timeout=PATIENCE, context=self.trust)
        return Connection(*self.address, timeout=PATIENCE)

    def stop(self) -> None:
        """Whoever is waiting for an answer still waits for it."""
        self.ending.set()
        with self.lock:
            self.numbers = iter(())
        self.join()

    def next_number(self) -> int | None:
        with self.lock:
            return next(self.numbers, None)

    def register(self, connection: "Connection | SecureConnection", number: int) -> bool:
        """Whether the service keeps the connection open."""
        body = {"source_id": self.source_id, "lead_phone": f"+7999{number:07d}"}
        started = time.monotonic()
        connection.request("POST", "/api/v1/contacts", json.dumps(body), self.headers(number))
        answer = connection.getresponse()
        content = answer.read()
        connection.served += 1
        with self.lock:
            self.slowest = max(self.slowest, time.monotonic() - started)
            self.note(number, answer, content)
        return not answer.will_close

    def headers(self, number: int) -> dict[str, str]:
        return {"Content-Type": "application/json"}

    def note(self, number: int, answer: http.client.HTTPResponse, content: bytes) -> None:
        if answer.status == 201:
            self.contacts.append(json.loads(content))
        else:
            self.others.append((answer.status, content))
            self.retry_after.append(answer.getheader("Retry-After"))

    def note_failure(self, connection: "Connection | SecureConnection", number: int) -> None:
        with self.lock:
            if connection.served:
                self.dropped += 1
            else:
                self.refused += 1


@dataclass
class PersistentBots(Bots):
    """Each message has an Idempotency-Key and is sent again until it is registered: `made` says as which contact.

    That also goes for what was sent and not answered before a `stop`.
    """

    made: dict[str, int] = field(default_factory=dict)
    again: list[int] = field(default_factory=list)

    def next_number(self) -> int | None:
        with self.lock:
            number = self.again.pop() if self.again else None
        if number is None:
            return super().next_number()
        self.ending.wait(0.05)  # nothing comes back the sooner for being asked a thousand times a second
        return number

    def headers(self, number: int) -> dict[str, str]:
        return super().headers(number) | {"Idempotency-Key": f"k{number}"}

    def note(self, number: int, answer: http.client.HTTPResponse, content: bytes) -> None:
        super().note(number, answer, content)
        if answer.status == 201:
            self.made[f"k{number}"] = json.loads(content)["id"]
        elif answer.status in AGAIN:
            self.again.append(number)

    def note_failure(self, connection: "Connection | SecureConnection", number: int) -> None:
        super().note_failure(connection, number)
        with self.lock:
            self.again.append(number)


class Connection(http.client.HTTPConnection):
    served = 0


class SecureConnection(http.client.HTTPSConnection):
    served = 0


def all_contact_ids(get: Any) -> set[int]:
    """Of every contact in the service, page after page."""
    ids: set[int] = set()
    path = "/api/v1/contacts?page_size=200"
    while path:
        status, page = get(path)
        assert status == 200, page
        ids |= {contact["id"] for contact in page["results"]}
        path = page["next"] and "/" + page["next"].split("/", 3)[3]
    return ids
