"""What must hold after a soak, whatever went wrong meanwhile."""

import json
import re
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from bench_service import Server
from soak_faults import Faults
from soak_machine import Database
from soak_told import shortened
from soak_verbs import Bot, Journal

REPEATED = 2_000  # registrations that are sent again at the end
LOOK_EVERY = 0.2  # seconds
REFUSED_BY_JUDGE = "P0001"
ERROR = re.compile(r"^\S+ \S+ \S+ \[\d+\] (\w{5}) (?:ERROR|FATAL|PANIC):  (.*)$", re.MULTILINE)
INCIDENT = re.compile(r"[Ii]ncident (\w+)")
COMMANDS = ("check_routing --deep", "verify_decisions")
# A transaction during which the clock was set stores moments before and after.
TWO_MOMENTS = re.compile(r"^Contact \d+: \w+ at (\S+) by its history, at (\S+) by its row\.$")

StoredContact = tuple[str | None, bool]  # its idempotency key, whether its lead is erased


class Tail:
    """Reads logs as they are written, and notes by the clock of the machine when each traceback appeared: the clock of
    the service, which its lines have, is one that is set."""

    def __init__(self, *logs: Path) -> None:
        self.logs, self.places = logs, dict.fromkeys(logs, 0)
        self.tracebacks: list[tuple[float, str]] = []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self) -> None:
        while not self.ending.wait(LOOK_EVERY):
            self.look()
        self.look()

    def look(self) -> None:
        for log in self.logs:
            with log.open("rb") as file:
                file.seek(self.places[log])
                new = file.read()
            whole = new[: new.rfind(b"\n") + 1]
            self.places[log] += len(whole)
            self.tracebacks += [(time.time(), line) for line in tracebacks(whole.decode(errors="replace"))]

    def end(self) -> None:
        self.ending.set()
        self.thread.join()


def tracebacks(text: str) -> Iterator[str]:
    """A warning with one is a lost race that the service deals with."""
    for line in text.splitlines():
        try:
            entry: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
        except ValueError:  # of a process that was killed while it wrote
            continue
        if ("exception" in entry and entry["level"] != "warning") or line.startswith("Traceback"):
            yield line


def check_commands(service: Server, faults: Faults) -> Iterator[str]:
    for command in COMMANDS:
        answer = run_command(service, command)
        print(f"{command}: {(answer.stdout or answer.stderr).strip()[-300:]}", flush=True)
        if answer.returncode:
            said = answer.stderr.removeprefix("CommandError: ").splitlines() or [f"exit code {answer.returncode}"]
            yield from (f"{command}: {line}" for line in said if not is_explained(line, faults))


def is_explained(finding: str, faults: Faults) -> bool:
    """Whether its two moments are apart by as much as the clock was set once."""
    found = TWO_MOMENTS.match(finding)
    if not found:
        return False
    apart = abs(datetime.fromisoformat(found[1]) - datetime.fromisoformat(found[2])).total_seconds()
    return any(abs(apart - step) <= 2 for step in faults.clock_steps)


def run_command(service: Server, command: str) -> "subprocess.CompletedProcess[str]":
    """What it says is plain lines, one for each finding."""
    asked = [f"{service.environment['VENV']}/bin/python", "manage.py", *command.split()]
    env = {**service.environment, "LOG_FORMAT": "line"}
    return subprocess.run(asked, cwd=service.checkout, env=env, capture_output=True, text=True, check=False)


def read_contacts(database: Database) -> dict[int, StoredContact]:
    rows = database.ask(
        "SELECT contact.id, idempotency_key, erased_at IS NOT NULL"
        " FROM routing_contact contact JOIN leads_lead lead ON lead.id = lead_id"
    )
    return {pk: (key, erased) for pk, key, erased in rows}


def check_answered(journal: Journal, stored: Mapping[int, StoredContact]) -> Iterator[str]:
    """Each answered contact is there, and one for each key. An erased person's contacts stay without their keys."""
    for key, ids in list(journal.answered.items()):
        if lost := [pk for pk in ids if pk not in stored]:
            yield f"lost: key {key} was answered with contacts {lost}"
        there = [stored[pk] for pk in ids if pk in stored]
        if any(kept != key and not (kept is None and erased) for kept, erased in there):
            yield f"key {key} was answered with contacts {ids}, which have {there}"
    held = Counter(key for key, _ in stored.values() if key)
    yield from (f"twice: key {key} has {number} contacts" for key, number in held.items() if number > 1)
    erased = sum(erased for _, erased in stored.values())
    print(f"{len(journal.answered)} keys answered, {len(stored)} contacts stored, {erased} of erased people")


def check_repeats(bot: Bot, database: Database, chance: Random) -> Iterator[str]:
    """The same key and body give the same contact."""
    rows = database.ask("SELECT idempotency_key, id FROM routing_contact WHERE idempotency_key IS NOT NULL ORDER BY id")
    known = [(key, pk) for key, pk in rows if key in bot.journal.bodies]
    for key, pk in chance.sample(known, min(REPEATED, len(known))):
        status, contact = bot.call("POST", "/contacts", bot.journal.bodies[key], key=key)
        if status != 201 or contact["id"] != pk:
            yield f"key {key} belongs to contact {pk}, and was answered again with {status} {contact}"
    print(f"{min(REPEATED, len(known))} registrations sent again")


def check_answers(journal: Journal, faults: Faults) -> Iterator[str]:
    yield from shortened("unexpected answer", journal.unexpected)
    alone = [one for one in journal.unanswered if not faults.explain(one.status, one.begun, one.ended)]
    moments = [
        f"{datetime.fromtimestamp(one.ended):%H:%M:%S} after {one.ended - one.begun:.1f} s {one.what}" for one in alone
    ]
    yield from shortened("failed without a fault", moments)


def check_log(tracebacks: Sequence[tuple[float, str]], faults: Faults, unexpected: Sequence[str] = ()) -> Iterator[str]:
    """Those that no fault explains, and whatever the time was those of unexpected answers, which name an incident."""
    incidents = set(INCIDENT.findall("\n".join(unexpected)))
    yield from shortened(
        "traceback",
        [
            line
            for at, line in tracebacks
            if not faults.explain_traceback(at) or not incidents.isdisjoint(INCIDENT.findall(line))
        ],
    )


def check_database_log(text: str) -> Iterator[str]:
    """What the triggers have refused, whatever the service made of it; no fault explains that."""
    found = ERROR.findall(text)
    print("errors of PostgreSQL: ", dict(sorted(Counter(state for state, _ in found).items())))
    yield from shortened("a commit was refused", [said for state, said in found if state == REFUSED_BY_JUDGE])


def report(journal: Journal, faults: Faults) -> None:
    print("\nfaults: " + ", ".join(f"{number} x {what}" for what, number in sorted(faults.counts.items())))
    total: Counter[int] = Counter()
    for kind, statuses in sorted(journal.statuses.items()):
        print(f"{kind:45} " + ", ".join(f"{status}: {number}" for status, number in sorted(statuses.items())))
        total += statuses
    named = {0: "lost connections"}
    print("all: " + ", ".join(f"{named.get(status, status)}: {number}" for status, number in sorted(total.items())))
