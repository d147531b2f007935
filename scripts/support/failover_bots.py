"""Bots that register without pause, and probes of `/health/ready`: what each was answered, and when."""

import http.client
import json
import ssl
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

BOTS = 8
PATIENCE = 30  # seconds that a bot waits for an answer
ENDING = 60  # seconds in which what was sent last must be answered
OPEN = 5  # contacts that a bot leaves open
PROBE_EVERY, PROBE_PATIENCE = 0.2, 2.0  # seconds
AGAIN = {0, 429, 502, 503, 504}


class Answer(NamedTuple):
    """To one call of a bot. The status is 0 for a lost connection, times are those of the monotonic clock."""

    bot: int
    key: str
    begun: float
    ended: float
    status: int
    contact: int | None
    said: str


class Probe(NamedTuple):
    instance: str
    begun: float
    ended: float
    status: int
    code: str  # why it is not ready

    @property
    def is_ready(self) -> bool:
        return self.status == http.client.OK


@dataclass
class Journal:
    """Filled by all threads."""

    answers: list[Answer] = field(default_factory=list)
    probes: list[Probe] = field(default_factory=list)

    def contacts(self) -> dict[str, set[int]]:
        """Key to the ids that it was answered with."""
        found: dict[str, set[int]] = defaultdict(set)
        for answer in list(self.answers):
            if answer.contact:
                found[answer.key].add(answer.contact)
        return found


class Threads:
    """Runs until it is stopped; a bot first gets an answer to what it has sent."""

    def __init__(self, *work: Callable[[threading.Event], None]) -> None:
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=each, args=[self.ending], daemon=True) for each in work]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.ending.set()
        for thread in self.threads:
            thread.join()


class Bot:
    """Sends each message until it is registered, always with the same key; resolves its contacts a little later."""

    def __init__(
        self,
        number: int,
        run: str,
        *,
        address: tuple[str, int],
        trust: ssl.SSLContext,
        key: str,
        source: int,
        journal: Journal,
    ) -> None:
        self.number, self.run, self.journal, self.source = number, run, journal, source
        self.address, self.trust, self.api_key = address, trust, key
        self.connection: http.client.HTTPSConnection | None = None
        self.open: deque[int] = deque()

    def work(self, ending: threading.Event) -> None:
        number = 0
        while not ending.is_set():
            number += 1
            self.register(f"{self.run}-{self.number}-{number}", ending)
            if len(self.open) > OPEN:
                self.call("POST", f"/contacts/{self.open.popleft()}/resolve")

    def register(self, key: str, ending: threading.Event | None = None) -> int | None:
        """The contact; None if it was told to end and has not been answered for a minute since."""
        give_up_at = float("inf")
        while time.monotonic() < give_up_at:
            if ending and ending.is_set():
                give_up_at = min(give_up_at, time.monotonic() + ENDING)
            begun = time.monotonic()
            status, content = self.call("POST", "/contacts", self.body(key), key=key)
            contact = content["id"] if status == http.client.CREATED else None
            said = "" if contact else json.dumps(content, ensure_ascii=False)[:300]
            self.journal.answers.append(Answer(self.number, key, begun, time.monotonic(), status, contact, said))
            if contact:
                self.open.append(contact)
                return int(contact)
            time.sleep(0.2)
        return None

    def body(self, key: str) -> dict[str, Any]:
        return {"source_id": self.source, "lead_email": f"{key}@example.com", "message": key}

    def call(self, method: str, path: str, body: object = None, *, key: str = "") -> tuple[int, Any]:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.api_key}"}
        headers |= {"Idempotency-Key": key} if key else {}
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(*self.address, timeout=PATIENCE, context=self.trust)
        try:
            self.connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)
            answer = self.connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.connection.close()
            self.connection = None
            return 0, repr(error)


def probe(instance: str, port: int, journal: Journal) -> Callable[[threading.Event], None]:
    """Asks one instance whether it is ready, as a load balancer would: no answer within its patience is a no."""

    def work(ending: threading.Event) -> None:
        while not ending.is_set():
            begun = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PROBE_PATIENCE)
            try:
                connection.request("GET", "/health/ready")
                answer = connection.getresponse()
                status, code = answer.status, json.loads(answer.read()).get("code", "")
            except (OSError, http.client.HTTPException, ValueError):
                status, code = 0, "no answer"
            finally:
                connection.close()
            journal.probes.append(Probe(instance, begun, time.monotonic(), status, code))
            ending.wait(max(0, PROBE_EVERY - (time.monotonic() - begun)))

    return work
