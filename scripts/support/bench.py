"""Measures what a registration costs, beside a floor in the same run: ratios travel between machines, numbers do not.

A round takes each thing to be measured in turn, several times over, so that a machine that is busy for a while is so
for all of them. Of the rounds the median counts; the lowest and the highest say how much it is worth.
"""

import argparse
import itertools
import json
import os
import platform
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import bench_load
import bench_service
import postgresql
from bench_service import Server

OPERATORS = 10  # on each roster
LIMIT = 100  # of each of them, the highest that there is
FILL = 0.5  # of a roster's places, at most: who is full is not drawn
AS_IN_PRODUCTION = {"random_page_cost": "1.1", "shared_buffers": "512MB"}  # deploy/postgresql
KNOWN = 500  # people who have written before


@dataclass(frozen=True)
class Figures:
    """Of one measurement. Milliseconds are of processor time for one request, or of waiting for the answer."""

    per_second: float
    p50: float
    p99: float
    app: float
    db: float
    resident: float  # MB of the largest worker afterwards

    @property
    def processor(self) -> float:
        return self.app + self.db


def main(arguments: list[str]) -> int:
    options = read(arguments)
    report: dict[str, Any] = {"machine": machine(), "options": vars(options), "results": []}
    print(f"{report['machine']}; {options.requests} requests at a time, {options.rounds} rounds.", flush=True)
    for database in options.database:
        with servers(database, options) as running:
            for clients in options.clients:
                rows = measure(running, clients, options)
                report["results"] += [{"database": database, "clients": clients, **row} for row in rows]
                print_table(database, clients, rows)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2, default=str) + "\n")
    return 0


def read(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--database", type=listed, default=["postgresql", "sqlite"], help="postgresql,sqlite")
    parser.add_argument("--clients", type=numbers, default=[1, 8, 32], help="how many at once: 1,8,32")
    parser.add_argument("--requests", type=int, default=1_000, help="in one measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--known", type=float, default=0.5, help="share of people who have written before, 0 to 1")
    parser.add_argument("--against", metavar="URL", help="the API of another server, such as http://host:9000/api/v1")
    parser.add_argument("--against-key", default="", metavar="KEY", help="sent there as a bearer token")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write all figures")
    options = parser.parse_args(arguments)
    if min(options.requests, options.rounds, *options.clients) < 1 or not 0 <= options.known <= 1:
        parser.error("Clients, requests and rounds are 1 at least, and --known is from 0 to 1.")
    return options


def listed(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - {"postgresql", "sqlite"}:
        raise argparse.ArgumentTypeError(f"knows no {', '.join(unknown)}.")
    return names


def numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def machine() -> str:
    model = next((line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "")
    name = model.partition(":")[2].strip() or platform.machine()
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores ({name}), Python {platform.python_version()}, load before {load:.1f}"


@contextmanager
def servers(database: str, options: argparse.Namespace) -> Iterator[list[Server]]:
    """This service on a database of its own, which keeps what it has answered; and the one it is measured against."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="crm-router-bench-")))
        url, database_pid = f"sqlite:///{folder}/db.sqlite3", None
        if database == "postgresql":
            cluster = folder / "cluster"
            cluster.mkdir()
            folder.chmod(0o711)
            identity = postgresql.unprivileged(cluster)
            programs = postgresql.reachable(postgresql.find_programs(), cluster, identity)
            postgresql.initialise(programs, cluster / "data", identity)
            port = postgresql.free_port()
            settings = AS_IN_PRODUCTION | {"unix_socket_directories": str(cluster)}
            running.enter_context(postgresql.running(programs, cluster, identity, port=port, synced=True, **settings))
            url = f"postgres://postgres@{quote(str(cluster), safe='')}:{port}/postgres"  # as docs/operations.md does
            database_pid = int((cluster / "data" / "postmaster.pid").read_text().split()[0])
        port = postgresql.free_port()
        ours = bench_service.service("this", database=url, folder=folder, database_pid=database_pid, port=port)
        found = [running.enter_context(ours)]
        if options.against:
            found.append(Server("other", options.against.rstrip("/"), options.against_key))
        yield found


def measure(running: Sequence[Server], clients: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for each server's registrations and one for the floor, each with its figures of all rounds."""
    people = {server.name: known_people(server) for server in running}
    figures: dict[str, list[Figures]] = {name: [] for name in ("floor", *people)}
    for _ in range(options.rounds):
        floor = running[0].request("/floor", registration(1, new_phone()))
        figures["floor"].append(run(running[0], itertools.repeat(floor, options.requests), clients))
        for server in running:
            wanted = requests(server, people[server.name], options)
            figures[server.name].append(run(server, wanted, clients))
    return [
        {"what": what, **{name: spread([getattr(one, name) for one in all_of_it]) for name in COLUMNS}}
        | {"ratio": spread([one.per_second / floor.per_second for one, floor in paired(all_of_it, figures)])}
        | {"processor_ratio": spread([one.processor / floor.processor for one, floor in paired(all_of_it, figures)])}
        for what, all_of_it in figures.items()
    ]


COLUMNS = ("per_second", "p50", "p99", "app", "db", "processor", "resident")


def paired(these: list[Figures], figures: dict[str, list[Figures]]) -> Iterator[tuple[Figures, Figures]]:
    """Each with the floor of its own round."""
    return zip(these, figures["floor"], strict=True)


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


phones = itertools.count(random.randrange(10**8))


def new_phone() -> str:
    return f"+79{next(phones) % 10**9:09d}"


def registration(source_id: int, phone: str) -> dict[str, Any]:
    return {"source_id": source_id, "lead_phone": phone, "lead_name": "Анна Петрова", "message": "Здравствуйте!"}


def known_people(server: Server) -> list[str]:
    """Phones of people who have written already; it also warms everything up."""
    people = [new_phone() for _ in range(KNOWN)]
    [source] = sources(server, 1)
    run(server, (server.request("/contacts", registration(source, phone)) for phone in people), 8)
    return people


def requests(server: Server, people: Sequence[str], options: argparse.Namespace) -> Iterator[bytes]:
    """Spelled out before the clock runs. Each round has rosters of its own, because contacts are only ever added."""
    rosters = sources(server, -(-options.requests // int(OPERATORS * LIMIT * FILL)))
    known = [number < options.known * options.requests for number in range(options.requests)]
    random.shuffle(known)
    bodies = (
        registration(random.choice(rosters), random.choice(people) if is_known else new_phone()) for is_known in known
    )
    return iter([server.request("/contacts", body) for body in bodies])


def sources(server: Server, number: int) -> list[int]:
    """Ids of new sources, each with a roster of its own, whose weights differ."""
    found = []
    for _ in range(number):
        source = server.post("/sources", {"name": f"Bot {next(phones)}"})["id"]
        for weight in range(1, OPERATORS + 1):
            operator = server.post("/operators", {"name": f"Operator {weight}", "max_load": LIMIT})["id"]
            server.post(f"/sources/{source}/operators", {"operator_id": operator, "weight": weight})
        found.append(source)
    return found


def run(server: Server, wanted: Iterator[bytes], clients: int) -> Figures:
    before = [bench_service.processor_seconds(pid) for pid in (server.pid, server.database_pid)]
    load = bench_load.drive(server.address, wanted, clients=clients)
    after = [bench_service.processor_seconds(pid) for pid in (server.pid, server.database_pid)]
    if load.failures:
        sys.exit(f"{server.name}: {len(load.failures)} answers were no 201, such as:\n{load.failures[0]}")
    app, db = (1000 * (end - begin) / len(load.latencies) for begin, end in zip(before, after, strict=True))
    cuts = statistics.quantiles(load.latencies, n=100) if len(load.latencies) > 1 else load.latencies * 99
    return Figures(
        per_second=len(load.latencies) / load.seconds,
        p50=1000 * cuts[49],
        p99=1000 * cuts[98],
        app=app,
        db=db,
        resident=max(bench_service.resident_megabytes(server.pid), default=0),
    )


def print_table(database: str, clients: int, rows: Sequence[dict[str, Any]]) -> None:
    print(f"\n{database}, {clients} clients: median (lowest to highest)")
    heads = (
        "",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "CPU app ms",
        "CPU db ms",
        "CPU ms",
        "worker MB",
        "x floor/s",
        "x floor CPU",
    )
    print("".join(f"{head:<18}" for head in heads))
    for row in rows:
        cells = [row["what"], *(cell(row[name]) for name in (*COLUMNS, "ratio", "processor_ratio"))]
        print("".join(f"{text:<18}" for text in cells), flush=True)


def cell(figure: dict[str, float]) -> str:
    digits = 0 if figure["median"] >= 100 else 2
    return "{median:.{d}f} ({min:.{d}f}-{max:.{d}f})".format(d=digits, **figure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
