"""Bots that register contacts over kept-alive connections, side by side, and remember what they were answered."""

import http.client
import json
import ssl
import threading
from dataclasses import dataclass, field
from typing import Any

from tests.service.running import PATIENCE


@dataclass
class Bots:
    """`contacts` were answered with 201. `refused` met nobody; `dropped` were lost on a connection that had worked."""

    address: tuple[str, int]
    source_id: int
    total: int
    together: int = 8
    stop_when_refused: bool = False
    trust: ssl.SSLContext | None = None  # speak TLS with whoever this trusts
    contacts: list[dict[str, Any]] = field(default_factory=list)
    others: list[tuple[int, bytes]] = field(default_factory=list)
    refused: int = 0
    dropped: int = 0

    def start(self) -> "Bots":
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
                self.note_failure(connection)
                if self.stop_when_refused and not connection.served:
                    break
            if not keeps:
                connection.close()
                connection = None
        if connection:
            connection.close()

    def connect(self) -> "Connection | SecureConnection":
        if self.trust:
            return SecureConnection(*self.address, timeout=PATIENCE, context=self.trust)
        return Connection(*self.address, timeout=PATIENCE)

    def stop(self) -> None:
        """Whoever is waiting for an answer still waits for it."""
        with self.lock:
            self.numbers = iter(())
        self.join()

    def next_number(self) -> int | None:
        with self.lock:
            return next(self.numbers, None)

    def register(self, connection: "Connection | SecureConnection", number: int) -> bool:
        """Whether the service keeps the connection open."""
        body = {"source_id": self.source_id, "lead_phone": f"+7999{number:07d}"}
        connection.request("POST", "/api/v1/contacts", json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        connection.served += 1
        with self.lock:
            if answer.status == 201:
                self.contacts.append(json.loads(content))
            else:
                self.others.append((answer.status, content))
        return not answer.will_close

    def note_failure(self, connection: "Connection | SecureConnection") -> None:
        with self.lock:
            if connection.served:
                self.dropped += 1
            else:
                self.refused += 1


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
