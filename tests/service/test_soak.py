"""scripts/soak would find what it looks for. The long run itself is started by hand, and breaks its own database at the
end, to show the same of the commands that it runs."""

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import soak_checks
import soak_memory
import soak_told
from django.core.management import call_command
from django.db.models import F
from soak_faults import CLOCK, DATABASE, DELIVERER, WORKER, Fault, Faults
from soak_listeners import Told
from soak_machine import Clock
from soak_told import Stored
from soak_verbs import Bot, Failure, Journal

from routing.models import Contact
from tests.service import database
from tests.service.running import PROJECT


@pytest.fixture
def journal() -> Journal:
    """Of one registration, answered with contact 5."""
    journal = Journal()
    journal.remember("key", {}, 5)
    return journal


def faults(kind: str, since: float, until: float) -> Faults:
    return Faults(times=[Fault(kind, since, until)])


class Refusing(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))  # or the answer may be lost with the connection
        self.send_error(400)

    def log_message(self, *_: object) -> None: ...


@pytest.mark.parametrize(("steps", "findings"), [([0, 0], 1), ([0, 300], 0)], ids=["steady", "set-meanwhile"])
def test_a_refusal_is_a_finding_unless_the_clock_was_set_meanwhile(steps: list[int], findings: int) -> None:
    journal, ahead = Journal(), iter(steps)
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        there: Any = SimpleNamespace(address=("127.0.0.1", server.server_port), key="")
        known: dict[str, Any] = {"server": there, "operators": [], "sources": [], "journal": journal}
        bot = Bot(1, seed=1, now=lambda: time.time() + next(ahead), **known)
        assert bot.call("POST", "/operators/1/absences", {}) == (400, None)
    assert len(journal.unexpected) == findings


@pytest.mark.parametrize("stored", [{5: ("key", False)}, {5: (None, True)}, {5: (None, True), 6: ("key", False)}])
def test_a_contact_with_its_key_or_of_an_erased_person_is_no_finding(
    journal: Journal, stored: dict[int, soak_checks.StoredContact]
) -> None:
    assert list(soak_checks.check_answered(journal, stored)) == []


@pytest.mark.parametrize(
    ("stored", "finding"),
    [
        ({}, "lost: key key was answered"),
        ({5: ("other", False)}, "key key was answered with contacts {5}"),
        ({5: (None, False)}, "key key was answered with contacts {5}"),
        ({5: ("key", False), 6: ("key", False)}, "twice: key key has 2 contacts"),
    ],
)
def test_a_lost_or_doubled_contact_is_found(
    journal: Journal, stored: dict[int, soak_checks.StoredContact], finding: str
) -> None:
    [found] = soak_checks.check_answered(journal, stored)
    assert found.startswith(finding)


@pytest.mark.parametrize(
    ("status", "kind", "is_explained"),
    [
        (503, DATABASE, True),
        (0, WORKER, True),
        (0, DATABASE, False),
        (503, WORKER, False),
        (503, CLOCK, False),
        (503, DELIVERER, False),
    ],
)
def test_a_call_that_failed_is_found_unless_a_fault_of_that_kind_explains_it(
    status: int, kind: str, is_explained: bool
) -> None:
    journal = Journal(unanswered=[Failure(begun=100, ended=102, status=status, what="POST /contacts")])
    assert (not list(soak_checks.check_answers(journal, faults(kind, 101, 103)))) is is_explained
    [found] = soak_checks.check_answers(journal, faults(kind, 103, 105))
    assert found.startswith("failed without a fault: ")


def test_an_answer_of_another_kind_is_found_even_around_a_fault() -> None:
    [found] = soak_checks.check_answers(Journal(unexpected=["GET /queue: 500"]), faults(DATABASE, 0, 1e10))
    assert found == "unexpected answer: GET /queue: 500"


def test_a_traceback_is_found_unless_a_fault_explains_it() -> None:
    log = json.dumps({"level": "error", "exception": "ValueError"}) + "\n" + json.dumps({"level": "info"})
    [line] = soak_checks.tracebacks(log)
    assert list(soak_checks.check_log([(10, line)], faults(DATABASE, 5, 15))) == []
    [found] = soak_checks.check_log([(10, line)], faults(DATABASE, 15, 25))
    assert "ValueError" in found


def test_the_traceback_of_an_unexpected_answer_is_found_even_around_a_fault() -> None:
    lines = [json.dumps({"level": "error", "event": f"Incident {one}: GET", "exception": "Error"}) for one in "ab"]
    tracebacks = [(10.0, line) for line in lines]
    answers = ["GET /queue: 500 incident b is in the log."]
    [found] = soak_checks.check_log(tracebacks, faults(DATABASE, 5, 15), answers)
    assert found == f"traceback: {lines[1]}"


def test_a_commit_that_a_trigger_refused_is_found_in_the_log_of_postgresql() -> None:
    log = (
        "2026-11-28 03:00:00.000 UTC [7] 53100 ERROR:  could not extend file\n"
        "2026-11-28 03:00:01.000 UTC [7] P0001 ERROR:  operator 1 has load 1 and 0 open contacts\n"
    )
    [found] = soak_checks.check_database_log(log)
    assert found == "a commit was refused: operator 1 has load 1 and 0 open contacts"


CONTACT = (("contact", 5),)
STORED = {8: Stored("contact.registered", 1), 9: Stored("contact.assigned", 1)}
FIRST, SECOND = Told(8, "contact.registered", CONTACT, 100), Told(9, "contact.assigned", CONTACT, 101)


def check(*told: Told, kind: str = DELIVERER) -> Iterator[str]:
    return soak_told.check_told("reader", told, STORED.keys(), STORED, faults(kind, 102, 103).explain_repetition)


def test_events_that_were_told_in_order_are_no_finding() -> None:
    assert list(check(FIRST, SECOND)) == []


@pytest.mark.parametrize(
    ("told", "finding"),
    [
        ([FIRST], "reader: stored and never told: 9"),
        ([FIRST, SECOND, Told(17, "contact.resolved", CONTACT, 102)], "reader: told and not stored: 17"),
        ([FIRST, Told(9, "contact.queued", CONTACT, 101)], "reader: told as another type: 9 contact.queued"),
        ([SECOND, FIRST], "reader: out of order: contact 5: 8 after 9"),
    ],
)
def test_events_that_were_told_otherwise_are_found(told: list[Told], finding: str) -> None:
    [found] = check(*told)
    assert found == finding


def test_an_event_that_came_twice_is_found_unless_its_first_arrival_was_close_to_a_fault() -> None:
    again = Told(9, "contact.assigned", CONTACT, 230)
    assert list(check(FIRST, SECOND, again)) == []
    [found] = check(FIRST, SECOND, again, kind=WORKER)
    assert re.fullmatch(r"reader: told twice, which no fault explains: 9 at [\d:]{8}, [\d:]{8}", found)


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        ([("a@example.com", "sent", 3), ("b@example.com", "pending", 2)], "2 messages to b@example.com are pending"),
        ([("b@example.com", "sent", 1)], "1 messages to b@example.com count as sent, and no mail came"),
        ([("a@example.com", "skipped", 3)], "no message was sent"),
    ],
)
def test_messages_without_a_mail_are_found(rows: list[tuple[str, str, int]], finding: str) -> None:
    assert list(soak_told.check_notices([("a@example.com", "sent", 3)], {"a@example.com": 1})) == []
    assert list(soak_told.check_notices(rows, {"a@example.com": 1})) == [finding]


def test_memory_that_grows_is_found() -> None:
    assert list(soak_memory.check_memory({"service": [100.0] * 30 + [115.0] * 10})) == []
    [found] = soak_memory.check_memory({"service": [100.0] * 30 + [180.0] * 10})
    assert found == "memory: service grew from 100 to 180 MB"


@pytest.mark.spin  # which takes a C compiler as well
def test_a_clock_that_is_set_leaves_the_monotonic_one_alone(tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    clock.step(-420)
    program = "import time; time.sleep(0.01); print(time.time(), time.monotonic())"
    times = []
    for environment in ({}, clock.environment):
        answer = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        times.append([float(number) for number in answer.stdout.split()])
    (day, running), (faked_day, faked_running) = times
    assert -420 <= faked_day - day < -300
    assert 0 <= faked_running - running < 100


def outage(killed: float) -> Faults:
    """The database is away from 100 to 160, and a delivery worker is killed."""
    return Faults(times=[Fault(DATABASE, 100, 160), Fault(DELIVERER, killed, killed + 1)])


def test_a_worker_that_is_killed_while_the_database_is_away_has_noted_nothing_since_then() -> None:
    for killed in (120, 170):
        assert outage(killed).explain_repetition(96)
        assert not outage(killed).explain_repetition(94)
    assert not outage(180).explain_repetition(160)
    assert not Faults(times=[Fault(DATABASE, 100, 160)]).explain_repetition(120)


def test_two_moments_of_one_transaction_are_found_unless_the_clock_was_set_by_as_much() -> None:
    finding = (
        "Contact 12: registered at 2026-11-28T06:08:21+00:00 by its history, at 2026-11-28T06:15:22+00:00 by its row."
    )
    assert soak_checks.is_explained(finding, Faults(clock_steps={300, 420}))
    assert not soak_checks.is_explained(finding, Faults(clock_steps={300}))
    assert not soak_checks.is_explained("Contact 12: operator 3 has it", Faults(clock_steps={420}))


@pytest.mark.service
@pytest.mark.once
def test_what_a_command_finds_is_read_line_by_line_however_the_service_logs(
    surroundings: dict[str, str], template: str, tmp_path: Path
) -> None:
    file = tmp_path / "db.sqlite3"
    shutil.copy(template.removeprefix("sqlite:///"), file)
    with database.default_at(f"sqlite:///{file}"):
        call_command("seed_demo", stdout=StringIO())
        call_command("seed_contacts", count=2, stdout=StringIO())
        Contact.objects.filter(pk=1).update(created_at=F("created_at") + timedelta(minutes=7))
    env = surroundings | {"DATABASE_URL": f"sqlite:///{file}", "DATA_DIR": str(tmp_path), "LOG_FORMAT": "json"}
    service: Any = SimpleNamespace(environment=env, checkout=PROJECT)

    assert list(soak_checks.check_commands(service, Faults(clock_steps={420}))) == []
    [found] = soak_checks.check_commands(service, Faults(clock_steps={300}))
    assert found.startswith("check_routing --deep: Contact 1: registered at ")
