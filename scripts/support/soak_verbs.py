"""Every verb of the API, driven at random over HTTP, and a journal of what was answered."""

import http.client
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from bench_service import Server

PEOPLE = 400  # so few that their contacts, merges and corrections meet
PAUSE = 0.05  # seconds between two verbs of a bot, in the mean
PATIENCE = 60  # seconds for one answer, and for a bot to send the same message again
EXPECTED = {200, 201, 204, 404, 409}  # what a well-formed call may get while others archive, merge and erase


@dataclass(frozen=True)
class Failure:
    """A call that got a 503, or no answer at all: status 0."""

    begun: float  # seconds since 1970
    ended: float
    status: int
    what: str


@dataclass
class Journal:
    """Filled by all threads at once."""

    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))  # of each kind of call
    unanswered: list[Failure] = field(default_factory=list)  # allowed around a fault
    unexpected: list[str] = field(default_factory=list)
    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)  # idempotency key to what was sent
    answered: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))  # key to ids of contacts

    def remember(self, key: str, body: dict[str, Any], contact: int) -> None:
        self.bodies[key] = body
        self.answered[key].add(contact)


class Bot:
    """One thread. It does not know what the others do, so many of its calls are refused, which is an answer as well."""

    def __init__(
        self,
        number: int,
        *,
        seed: int,
        server: Server,
        operators: list[int],
        sources: list[int],
        journal: Journal,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now`: the time that the service has, in seconds since 1970."""
        self.number, self.server, self.journal, self.now = number, server, journal, now
        self.operators, self.sources = operators, sources
        self.chance = Random(f"{seed} {number}")
        self.sent = 0
        self.contacts: list[int] = []
        self.leads: list[int] = []

    def work(self, ending: threading.Event) -> None:
        while not ending.is_set():
            self.chance.choice(VERBS)(self)
            ending.wait(self.chance.uniform(0, 2 * PAUSE))

    def call(self, method: str, path: str, body: object = None, *, key: str = "") -> tuple[int, Any]:
        """The status and the JSON that is answered; 0 for a connection that was lost or refused."""
        kind = f"{method} " + "/".join("#" if part.isdigit() else part for part in path.partition("?")[0].split("/"))
        begun, ahead = time.time(), self.ahead()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.server.key}"}
        headers |= {"Idempotency-Key": key} if key else {}
        connection = http.client.HTTPConnection(*self.server.address, timeout=PATIENCE)
        try:
            sent = None if body is None else json.dumps(body)
            connection.request(method, f"/api/v1{path}", sent, headers)
            answer = connection.getresponse()
            status, content = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            status, content = 0, repr(error).encode()
        finally:
            connection.close()
        self.journal.statuses[kind][status] += 1
        said = f"{method} {path} {json.dumps(body)}: {status} {content.decode(errors='replace')[:500]}"
        if status in (0, 503):
            self.journal.unanswered.append(Failure(begun, time.time(), status, said))
            time.sleep(0.1)
        elif status not in EXPECTED and not (status == http.client.BAD_REQUEST and self.ahead() != ahead):
            self.journal.unexpected.append(said)
        return status, json.loads(content) if content and status in EXPECTED else None

    def ahead(self) -> int:
        """By so many seconds the clock of the service is ahead. Where it is set, a moment of a call may become past."""
        return round(self.now() - time.time())

    def know(self, contact: dict[str, Any]) -> None:
        self.contacts.append(contact["id"])
        self.leads.append(contact["lead_id"])
        del self.contacts[:-200], self.leads[:-100]

    def message(self) -> dict[str, Any]:
        person = self.chance.randrange(PEOPLE)
        body: dict[str, Any] = {"source_id": self.chance.choice(self.sources), "message": f"Question {self.sent}"}
        if self.chance.random() < 0.7:
            body |= {"lead_phone": f"+7999{person:07d}"}
        if self.chance.random() < 0.5 or "lead_phone" not in body:
            body |= {"lead_email": f"person{person // 2}@example.com"}
        return body

    def new_key(self) -> str:
        self.sent += 1
        return f"{self.number}-{self.sent}"

    def register(self) -> None:
        self.send(self.new_key(), self.message())

    def send(self, key: str, body: dict[str, Any]) -> None:
        """As a bot does: without an answer the same message is sent again."""
        give_up_at = time.time() + PATIENCE
        while time.time() < give_up_at:
            status, contact = self.call("POST", "/contacts", body, key=key)
            if status == http.client.CREATED:
                self.journal.remember(key, body, contact["id"])
                self.know(contact)
            if status not in (0, 503):
                return

    def repeat(self) -> None:
        key = f"{self.chance.randrange(16)}-{self.chance.randint(1, self.sent + 1)}"
        if body := self.journal.bodies.get(key):
            self.send(key, body)

    def register_batch(self) -> None:
        items = [self.message() | {"idempotency_key": self.new_key()} for _ in range(self.chance.randint(1, 8))]
        for _ in range(self.chance.randint(1, 2)):
            status, answer = self.call("POST", "/contacts/batch", {"contacts": items})
            for result in answer["results"] if status == http.client.OK else []:
                if result["status"] == http.client.CREATED:
                    body = dict(items[result["index"]])
                    self.journal.remember(body.pop("idempotency_key"), body, result["contact"]["id"])
                    self.know(result["contact"])

    def finish_some(self) -> None:
        """What the queue has assigned is open as well."""
        _, page = self.call("GET", f"/contacts?status=assigned&page_size=20&operator_id={self.an_operator()}")
        for contact in page["results"][:5] if page else []:
            asked = {"expected_operator_id": contact["operator_id"]} if self.chance.random() < 0.5 else {}
            self.call("POST", f"/contacts/{contact['id']}/resolve", asked)

    def search(self) -> None:
        person = self.chance.randrange(PEOPLE)
        paths = [f"/contacts?search=person{person}", f"/leads?search=999{person:07d}", f"/leads?phone=8999{person:07d}"]
        paths += ["/contacts?status=waiting", "/leads/duplicates", "/queue", "/stats/distribution", "/operators"]
        paths += [f"/leads/{self.a_lead()}/contacts", f"/leads/{self.a_lead()}/export"]
        paths += [f"/contacts/{self.a_contact()}/decision", f"/contacts/{self.a_contact()}/history"]
        self.call("GET", self.chance.choice(paths))

    def change_contact(self) -> None:
        changes = self.chance.choice([{"message": "Corrected"}, {"is_resolved": True}, {"is_resolved": False}])
        self.call("PATCH", f"/contacts/{self.a_contact()}", changes)

    def change_operator(self) -> None:
        changes: dict[str, Any] = {"is_active": self.chance.random() < 0.7}
        if self.chance.random() < 0.5:
            changes = {"max_load": self.chance.randint(1, 15)}
        elif self.chance.random() < 0.3:
            caps = {"max_per_hour": 500, "max_per_day": 5_000, "queue_pace": 60}
            changes = {name: self.chance.choice([None, most]) for name, most in caps.items()}
        self.call("PATCH", f"/operators/{self.an_operator()}", changes)

    def change_source(self) -> None:
        strategy = self.chance.choice(["weighted_random", "smooth", "least_loaded"])
        changes: dict[str, Any] = {"strategy": strategy, "is_sticky": self.chance.random() < 0.3}
        changes |= {"accept_within": self.chance.choice([None, 10, 30]), "max_offers": self.chance.randint(1, 4)}
        self.call("PATCH", f"/sources/{self.a_source()}", changes)

    def pause(self) -> None:
        path = f"/operators/{self.an_operator()}"
        self.call("POST", f"{path}/pause", {"minutes": 1})
        if self.chance.random() < 0.5:
            self.call("POST", f"{path}/resume")

    def be_absent(self) -> None:
        path = f"/operators/{self.an_operator()}/absences"
        begin = datetime.fromtimestamp(self.now(), UTC) + timedelta(seconds=self.chance.randint(-5, 20))
        times = {"from": begin.isoformat(), "to": (begin + timedelta(seconds=30)).isoformat()}
        status, absence = self.call("POST", path, times | {"handover": self.chance.random() < 0.5})
        if status == http.client.CREATED and self.chance.random() < 0.3:
            self.call("DELETE", f"{path}/{absence['id']}")

    def set_hours(self) -> None:
        """Around the clock but for some days, or none at all: an edge may come at midnight."""
        days = [day for day in range(1, 8) if self.chance.random() < 0.85]
        weekly = [{"weekday": day, "from": "00:00", "to": "24:00"} for day in days]
        hours = {"time_zone": self.chance.choice(["Europe/Moscow", "UTC"]), "weekly": weekly}
        mine = self.chance.choice([f"/operators/{self.an_operator()}", f"/sources/{self.a_source()}"])
        self.call("PUT", f"{mine}/schedule", self.chance.choice([hours, hours | {"weekly": []}]))

    def change_lead(self) -> None:
        phone = f"+7999{self.chance.randrange(PEOPLE):07d}"
        self.call("PATCH", f"/leads/{self.a_lead()}", self.chance.choice([{"name": "Anna"}, {"phone": phone}]))

    def change_identity(self) -> None:
        lead = self.a_lead()
        status, found = self.call("GET", f"/leads/{lead}/identities")
        if status != http.client.OK or not found:
            return
        path = f"/leads/{lead}/identities/{self.chance.choice(found)['id']}"
        if self.chance.random() < 0.5:
            self.call("DELETE", path)
        else:
            self.call("PATCH", path, {"is_shared": self.chance.random() < 0.4})

    def hand_over(self) -> None:
        asked = {"stay_on_duty": True} if self.chance.random() < 0.5 else {}
        self.call("POST", f"/operators/{self.an_operator()}/handover", asked)

    def replace_roster(self) -> None:
        members = [pk for pk in self.operators if self.chance.random() < 0.8]
        roster = [{"operator_id": pk, "weight": self.chance.randint(1, 100)} for pk in members]
        self.call("PUT", f"/sources/{self.a_source()}/operators", roster)

    def set_weight(self) -> None:
        weight = {"operator_id": self.an_operator(), "weight": self.chance.randint(1, 100)}
        self.call("POST", f"/sources/{self.a_source()}/operators", weight)

    def leave_roster(self) -> None:
        self.call("DELETE", f"/sources/{self.a_source()}/operators/{self.an_operator()}")

    def archive(self) -> None:
        """And back soon, so that somebody is there most of the time."""
        path = self.chance.choice([f"/operators/{self.an_operator()}", f"/sources/{self.a_source()}"])
        self.call("DELETE", path)
        self.register()
        self.call("POST", f"{path}/restore")

    def merge(self) -> None:
        self.call("POST", f"/leads/{self.a_lead()}/merge", {"lead_id": self.a_lead()})

    def unmerge(self) -> None:
        self.call("POST", f"/leads/{self.a_lead()}/unmerge")

    def erase(self) -> None:
        self.call("POST", f"/leads/{self.a_lead()}/erase")

    def resolve(self) -> None:
        self.call("POST", f"/contacts/{self.a_contact()}/resolve")

    def take(self) -> None:
        verb = self.chance.choice(["accept", "decline", "touch"])
        body = {"reason": "On lunch"} if verb == "decline" and self.chance.random() < 0.5 else {}
        self.call("POST", f"/contacts/{self.a_contact()}/{verb}", body)

    def reopen(self) -> None:
        self.call("POST", f"/contacts/{self.a_contact()}/reopen")

    def reassign(self) -> None:
        bodies = [{}, {"operator_id": None}, {"operator_id": self.an_operator()}]
        bodies += [{"operator_id": self.an_operator(), "force": True}]
        self.call("POST", f"/contacts/{self.a_contact()}/reassign", self.chance.choice(bodies))

    def a_contact(self) -> int:
        return self.chance.choice(self.contacts or [1])

    def a_lead(self) -> int:
        return self.chance.choice(self.leads or [1])

    def an_operator(self) -> int:
        return self.chance.choice(self.operators)

    def a_source(self) -> int:
        return self.chance.choice(self.sources)


OFTEN = [Bot.register, Bot.register, Bot.repeat, Bot.finish_some, Bot.finish_some, Bot.resolve, Bot.reassign, Bot.take]
SELDOM = [Bot.register_batch, Bot.search, Bot.reopen, Bot.change_contact, Bot.change_operator, Bot.change_lead]
SELDOM += [Bot.change_identity, Bot.hand_over, Bot.set_weight, Bot.merge, Bot.unmerge, Bot.pause]
RARELY = [Bot.erase, Bot.archive, Bot.replace_roster, Bot.leave_roster, Bot.change_source, Bot.be_absent, Bot.set_hours]
VERBS: Sequence[Callable[[Bot], None]] = [*OFTEN * 6, *SELDOM * 2, *RARELY]
