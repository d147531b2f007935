"""All verbs from 16 threads, while workers and the database are killed: no invariant broken, no answered call lost."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import bench_service
import postgresql
import psycopg
from bench_service import Server
from soak_verbs import Bot, Journal

THREADS = 16
OPERATORS, SOURCES = 12, 4
WORKER_EVERY = 30  # seconds between one killed worker and the next
AROUND = {"worker": 5, "database": 15}  # seconds after a kill, or after the return, in which calls may fail
REPEATED = 2_000  # registrations that are sent again at the end
SHOWN = 20  # of each kind of finding

Stored = tuple[str | None, bool]  # of a contact: its idempotency key, whether its lead is erased


class Database:
    """A PostgreSQL whose commits are on the disk, which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, postgresql.free_port()
        self.identity = postgresql.unprivileged(folder)
        self.programs = postgresql.reachable(postgresql.find_programs(), folder, self.identity)
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.running = ExitStack()
        postgresql.initialise(self.programs, folder / "data", self.identity)
        self.start()
        if self.ask("SHOW fsync") != [("on",)] or self.ask("SHOW synchronous_commit") != [("on",)]:
            sys.exit("The database does not write its commits to the disk.")

    def start(self) -> None:
        running = postgresql.running(self.programs, self.folder, self.identity, port=self.port, synced=True)
        self.running.enter_context(running)

    def kill(self, how: signal.Signals) -> None:
        """SIGQUIT is `pg_ctl stop -m immediate`. The children of a killed one notice and end by themselves."""
        postmaster = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        children = bench_service.family(postmaster)[1:]
        os.kill(postmaster, how)
        self.running.close()
        while any(Path(f"/proc/{child}").exists() for child in children):
            time.sleep(0.05)

    def ask(self, query: str) -> Any:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query.encode()).fetchall()


@dataclass
class Kills:
    """What was killed, and the seconds since 1970 from and until when calls may fail because of it."""

    counts: Counter[str] = field(default_factory=Counter)
    times: list[tuple[float, float]] = field(default_factory=list)

    @contextmanager
    def note(self, what: str) -> Iterator[None]:
        begun = time.time()
        self.counts[what] += 1
        self.times.append((begun, float("inf")))
        yield
        self.times[-1] = (begun, time.time() + AROUND[what.split()[0]])
        print(f"{datetime.now():%H:%M:%S} {what} killed", flush=True)

    def explain(self, begun: float, ended: float) -> bool:
        return any(begun <= until and ended >= since for since, until in self.times)


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=15)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000, help="of the bots' chance")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the database and the service as well
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="crm-router-soak-", ignore_cleanup_errors=True) as name, ExitStack() as end:
        folder = Path(name)
        (folder / "postgresql").mkdir()
        folder.chmod(0o711)  # PostgreSQL may have stepped down from root
        database = Database(folder / "postgresql")
        end.callback(database.running.close)
        service = end.enter_context(
            bench_service.service(
                "soak", checkout=bench_service.PROJECT, database=database.url, database_pid=None, folder=folder / "own"
            )
        )
        findings = soak(service, database, folder / "own" / "service.log", options.minutes * 60, options.seed)
    print("\n".join(["", "FOUND:", *findings] if findings else ["", "Nothing lost, nothing broken."]))
    sys.exit(1 if findings else 0)


def soak(service: Server, database: Database, log: Path, seconds: float, seed: int) -> list[str]:
    journal, kills, ending = Journal(), Kills(), threading.Event()
    operators = [service.post("/operators", {"name": f"Operator {n}", "max_load": 10})["id"] for n in range(OPERATORS)]
    sources = [service.post("/sources", {"name": f"Bot {n}"})["id"] for n in range(SOURCES)]
    for source in sources:
        for operator in operators:
            service.post(f"/sources/{source}/operators", {"operator_id": operator})
    bots = [
        Bot(number, seed=seed, server=service, operators=operators, sources=sources, journal=journal)
        for number in range(THREADS)
    ]
    failures: list[str] = []
    threads = [threading.Thread(target=work, args=[bot, ending, failures]) for bot in bots]
    for thread in threads:
        thread.start()
    try:
        kill_in_between(service, database, kills, seconds)
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    findings = [*failures, *check_commands(service)]  # before anything else is done that might mend it
    for path in [f"/operators/{pk}" for pk in operators] + [f"/sources/{pk}" for pk in sources]:
        bots[0].call("POST", f"{path}/restore")
    findings += [*check_answered(journal, read_contacts(database)), *check_repeats(bots[0], database, Random(seed))]
    findings += check_commands(service)
    findings += [*check_answers(journal, kills), *check_log(log, kills)]
    report(journal, kills)
    return findings


def work(bot: Bot, ending: threading.Event, failures: list[str]) -> None:
    try:
        bot.work(ending)
    except Exception as error:  # an answer that a bot cannot read is a finding
        failures.append(f"bot {bot.number} could not read an answer: {error!r}")


def kill_in_between(service: Server, database: Database, kills: Kills, seconds: float) -> None:
    begun = time.monotonic()
    ways = {"database (immediate stop)": signal.SIGQUIT, "database (SIGKILL)": signal.SIGKILL}
    due = {seconds / 3 * (number + 1): what for number, what in enumerate(ways)}
    next_worker: float = WORKER_EVERY / 2
    while (passed := time.monotonic() - begun) < seconds or due:
        for moment in [moment for moment in due if moment <= passed]:
            with kills.note(what := due.pop(moment)):
                database.kill(ways[what])
                time.sleep(2)  # calls are made meanwhile, too
                database.start()
        if next_worker <= passed:
            assert service.pid
            with kills.note("worker"):
                os.kill(bench_service.family(service.pid)[-1], signal.SIGKILL)
            next_worker = passed + WORKER_EVERY
        time.sleep(0.2)


def check_commands(service: Server) -> Iterator[str]:
    for command in ("check_routing", "verify_decisions", "replay"):
        asked = [f"{service.environment['VENV']}/bin/python", "manage.py", command]
        answer = subprocess.run(
            asked, cwd=service.checkout, env=service.environment, capture_output=True, text=True, check=False
        )
        print(f"{command}: {(answer.stdout or answer.stderr).strip()[-300:]}", flush=True)
        if answer.returncode:
            yield f"{command}: {answer.stdout}{answer.stderr}"


def read_contacts(database: Database) -> dict[int, Stored]:
    rows = database.ask(
        "SELECT contact.id, idempotency_key, erased_at IS NOT NULL"
        " FROM routing_contact contact JOIN leads_lead lead ON lead.id = lead_id"
    )
    return {pk: (key, erased) for pk, key, erased in rows}


def check_answered(journal: Journal, stored: Mapping[int, Stored]) -> Iterator[str]:
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


def check_answers(journal: Journal, kills: Kills) -> Iterator[str]:
    yield from shortened("unexpected answer", journal.unexpected)
    alone = [fault for fault in journal.unanswered if not kills.explain(fault.begun, fault.ended)]
    yield from shortened(
        "failed without a kill", [f"{fault.ended - fault.begun:.1f} s {fault.what}" for fault in alone]
    )


def check_log(log: Path, kills: Kills) -> Iterator[str]:
    """Tracebacks that no kill explains. A warning with one is a lost race that the service deals with."""
    found, at = [], 0.0
    for line in log.read_text(errors="replace").splitlines():
        entry: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
        at = datetime.fromisoformat(entry["timestamp"]).timestamp() if "timestamp" in entry else at
        is_failure = "exception" in entry and entry["level"] != "warning"
        if (is_failure or line.startswith("Traceback")) and not kills.explain(at, at):
            found.append(line)
    yield from shortened("traceback", found)


def shortened(what: str, found: Sequence[str]) -> Iterator[str]:
    yield from (f"{what}: {one}" for one in found[:SHOWN])
    if len(found) > SHOWN:
        yield f"{what}: {len(found) - SHOWN} more"


def report(journal: Journal, kills: Kills) -> None:
    print("\nkilled: " + ", ".join(f"{number} x {what}" for what, number in kills.counts.items()))
    total: Counter[int] = Counter()
    for kind, statuses in sorted(journal.statuses.items()):
        print(f"{kind:45} " + ", ".join(f"{status}: {number}" for status, number in sorted(statuses.items())))
        total += statuses
    named = {0: "lost connections"}
    print("all: " + ", ".join(f"{named.get(status, status)}: {number}" for status, number in sorted(total.items())))


if __name__ == "__main__":
    main()
