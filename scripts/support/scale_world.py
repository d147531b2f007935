"""Instances of the service in networks of their own, one PostgreSQL in another, and what each of them uses."""

import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import bench
import bench_service
import psycopg
from bench_scenarios import FILL, LIMIT, OPERATORS, People, make_sources, rounded_up
from bench_service import PROJECT, Server
from failover_hosts import PORT, Host, Namespace, Networks

MANY_SOURCES, ONE_SOURCE, ONE_OPERATOR = SHAPES = ("many sources", "one source", "one operator")
PLACES = {ONE_SOURCE: int(OPERATORS * LIMIT * FILL), ONE_OPERATOR: LIMIT}  # contacts before the next source's turn
LOOKS = 0.02  # seconds between two looks at what the sessions wait for
COMMITS = 300  # of one session, to measure the disk
SYNC = "SELECT pg_logical_emit_message(true, '', '')"  # a commit that is written to the disk, and nothing else
# Processes that serve no client; the first process serves none either.
BACKGROUND = ("checkpointer", "background writer", "walwriter", "autovacuum", "logical", "stats", "logger", "io worker")
WAITS = """
SELECT CASE
    WHEN wait_event_type = 'Lock' THEN 'row'
    WHEN wait_event IN ('WALSync', 'WalSync') THEN 'disk'
    WHEN wait_event IN ('WALWrite', 'WalWrite') THEN 'turn'
    WHEN state LIKE 'idle in transaction%' THEN 'service'
    ELSE 'works'
END
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()
"""


class World:
    """The hosts. Instances come and go, their database stays."""

    def __init__(self, folder: Path, ending: ExitStack, *, instances: int) -> None:
        self.folder = folder
        self.networks = Networks()
        ending.callback(self.networks.destroy)
        self.database = Host(self.networks, 1, folder / "postgresql")
        ending.callback(self.database.destroy)
        self.database.initialise()
        with (self.database.data / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = {value}\n" for name, value in bench.AS_IN_PRODUCTION.items())
        self.database.start()
        self.url = f"postgres://postgres@{self.database.address()}:{PORT}/postgres"
        self.homes = [Namespace(self.networks, number + 2) for number in range(instances)]
        for home in self.homes:
            ending.callback(home.destroy)

    @property
    def postmaster(self) -> int:
        assert self.database.process
        return self.database.process.pid

    @contextmanager
    def instances(self, number: int, **settings: str) -> Iterator[list[Server]]:
        with ExitStack() as running:
            turn = len(list(self.folder.glob("turn-*")))
            folder = self.folder / f"turn-{turn}"
            folder.mkdir()
            yield [
                running.enter_context(
                    bench_service.service(
                        f"instance {place + 1}",
                        checkout=PROJECT,
                        database=self.url,
                        database_pid=self.postmaster,
                        folder=folder / str(place),
                        host=home.address(),
                        enter=home.enter,
                        SECRET_KEY="x" * 60,
                        ALLOWED_HOSTS=",".join(home.address() for home in self.homes),
                        STATIC_ROOT=os.environ.get("STATIC_ROOT") or str(self.folder / "static"),
                        **settings,
                    )
                )
                for place, home in enumerate(self.homes[:number])
            ]

    def database_seconds(self, *, without: int) -> tuple[float, float]:
        """Processor time of the sessions of clients but one, and of all else in PostgreSQL."""
        sessions = background = 0.0
        for pid in bench_service.family(self.postmaster):
            seconds = bench_service.seconds_of_process(pid)
            if pid == self.postmaster or is_background(title_of(pid)):
                background += seconds
            elif pid != without:
                sessions += seconds
        return sessions, background

    def wal_bytes(self) -> int:
        [(number,)] = self.database.ask("SELECT (pg_current_wal_lsn() - '0/0')::bigint")
        return int(number)

    def commits_a_second(self) -> float:
        """Of one session that writes next to nothing: what the disk can do."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            started = time.perf_counter()
            for _ in range(COMMITS):
                connection.execute(SYNC)
            return COMMITS / (time.perf_counter() - started)


def title_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    except OSError:
        return ""


def is_background(title: str) -> bool:
    return title.removeprefix("postgres: ").startswith(BACKGROUND)


class Looks:
    """Looks again and again what the sessions of this PostgreSQL wait for, in a thread, as a context manager.

    `waits` has how many sessions waited for what, on average: "row", a lock of a row; "turn", to write the log; "disk",
    that the log is on the disk; "service", the next statement of a transaction; "works", nothing.
    """

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)
        self.pid = self.connection.info.backend_pid
        self.seen: Counter[str] = Counter()
        self.looks = self.flushing = 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.look_repeatedly)

    def __enter__(self) -> "Looks":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.thread.join()
        self.connection.close()

    def look_repeatedly(self) -> None:
        while not self.is_over.wait(LOOKS):
            self.look()

    def look(self) -> None:
        found = Counter(what for (what,) in self.connection.execute(WAITS))
        self.seen += found
        self.flushing += "disk" in found
        self.looks += 1

    @property
    def waits(self) -> dict[str, float]:
        return {what: number / self.looks for what, number in self.seen.items()}

    @property
    def disk_is_busy(self) -> float:
        """The share of the time in which the log was being flushed."""
        return self.flushing / self.looks if self.looks else 0.0


def registrations(people: People, shape: str, sources: list[int], number: int) -> list[bytes]:
    """Requests for so many contacts: their clients meet in all these sources, in one at a time, or at one operator."""
    server = people.server
    bodies = people.registrations(sources, number)
    if shape != MANY_SOURCES:
        operators = 1 if shape == ONE_OPERATOR else OPERATORS
        turns = make_sources(server, rounded_up(number, PLACES[shape]), operators=operators)
        together = rounded_up(number, len(turns))
        bodies = [body | {"source_id": turns[place // together]} for place, body in enumerate(bodies)]
    return [server.request("/contacts", body) for body in bodies]
