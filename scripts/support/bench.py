"""Measures what registrations and the calls beside them cost, as ratios: those carry over between machines.

A round takes everything that is measured in turn, so that a machine that is busy for a while is busy for all of it.
Each ratio is taken within a round. The median of the rounds counts; the lowest and the highest show how far to trust
it.
"""

import argparse
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import bench_load
import bench_scenarios
import bench_service
import postgresql
from bench_scenarios import IMPORT, SCENARIOS, People
from bench_service import PROJECT, Server

AS_IN_PRODUCTION = {"random_page_cost": "1.1", "shared_buffers": "512MB"}  # deploy/postgresql
SCENARIO_CLIENTS = 8

Spread = dict[str, float] | None  # None: not measured
Row = dict[str, Any]


@dataclass(frozen=True)
class Figures:
    """Of one measurement. Milliseconds are of processor time for one contact, or of waiting for one answer.

    None is what cannot be measured: the processes of a server that this script has not started, and how long an
    answer takes where there is none.
    """

    per_second: float  # contacts
    p50: float | None
    p99: float | None
    app: float | None
    db: float | None
    memory: float | None  # MB of the whole service afterwards

    @property
    def processor(self) -> float | None:
        return None if self.app is None else self.app + (self.db or 0)


COLUMNS = ("per_second", "p50", "p99", "app", "db", "processor", "memory")


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server is left running
    options = read(arguments)
    report: dict[str, Any] = {"machine": machine(), "options": vars(options), "results": [], "comparisons": []}
    print(f"{report['machine']}; {options.requests} requests at a time, {options.rounds} rounds.", flush=True)
    for database in options.database:
        with servers(database, options) as running:
            people = {server.name: People(server, options.known, options.requests) for server in running}
            parts = [(clients, ["floor", "registration"]) for clients in options.clients]
            parts += [(SCENARIO_CLIENTS, ["registration", *options.scenarios])] if options.scenarios else []
            for clients, scenarios in parts:
                figures = measure(people, scenarios, clients, options)
                about: Row = {"database": database, "clients": clients}
                rows = [about | row for row in summary(figures)]
                comparisons = [about | row for row in compared(figures)]
                print_tables(rows, comparisons)
                report["results"] += rows
                report["comparisons"] += comparisons
    if options.json:
        options.json.write_text(json.dumps(report, indent=2, default=str) + "\n")
    return 0


def read(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    add = parser.add_argument
    add("--database", type=listed("postgresql", "sqlite"), default=["postgresql", "sqlite"], help="postgresql,sqlite")
    add("--clients", type=numbers, default=[1, 8, 32], help="how many at a time: 1,8,32")
    add("--scenarios", type=listed(*SCENARIOS, "none"), default=SCENARIOS, help=f"{','.join(SCENARIOS)}, or none")
    add("--requests", type=int, default=1_000, help="in one measurement")
    add("--rounds", type=int, default=5)
    add("--rows", type=int, default=50_000, help="of an import")
    add("--known", type=float, default=0.5, help="share of people who have written before, 0 to 1")
    add("--baseline", type=Path, metavar="FOLDER", help="another checkout of this service, measured turn by turn")
    add("--against", metavar="URL", help="the API of another server, such as http://host:9000/api/v1")
    add("--against-key", default="", metavar="KEY", help="sent there as a bearer token")
    add("--json", type=Path, metavar="FILE", help="where to write all figures")
    options = parser.parse_args(arguments)
    if min(options.requests, options.rounds, options.rows, *options.clients) < 1 or not 0 <= options.known <= 1:
        parser.error("--clients, --requests, --rounds and --rows must be at least 1, and --known between 0 and 1.")
    if options.baseline and not (options.baseline / "scripts/serve").is_file():
        parser.error(f"--baseline: {options.baseline} has no scripts/serve.")
    options.scenarios = [name for name in options.scenarios if name != "none"]
    return options


def listed(*known: str) -> Callable[[str], list[str]]:
    def names(text: str) -> list[str]:
        found = text.split(",")
        if unknown := set(found) - set(known):
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(sorted(unknown))}; choose from {', '.join(known)}.")
        return found

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
    """This service, the baseline, each on a new database of its own, and the server at another URL."""
    support = str(Path(__file__).parent)
    ours = {"DJANGO_SETTINGS_MODULE": "bench_settings", "PYTHONPATH": support}  # with the floor
    checkouts = {"this": (PROJECT, ours)}
    if options.baseline:
        checkouts["baseline"] = (options.baseline.resolve(), {})
    with ExitStack() as running:
        scratch = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="crm-router-bench-")))
        scratch.chmod(0o711)
        found = []
        for name, (checkout, settings) in checkouts.items():
            folder = scratch / name
            url, database_pid = f"sqlite:///{folder}/db.sqlite3", None
            if database == "postgresql":
                url, database_pid = running.enter_context(postgresql_of(scratch / f"{name}-postgresql"))
            its = bench_service.service(
                name, checkout=checkout, database=url, database_pid=database_pid, folder=folder, **settings
            )
            found.append(running.enter_context(its))
        if options.against:
            found.append(Server("other", options.against.rstrip("/"), options.against_key))
        yield found


@contextmanager
def postgresql_of(folder: Path) -> Iterator[tuple[str, int]]:
    """The URL and the first process of a PostgreSQL whose commits are written to the disk, as in production."""
    folder.mkdir()
    identity = postgresql.unprivileged(folder)
    programs = postgresql.reachable(postgresql.find_programs(), folder, identity)
    postgresql.initialise(programs, folder / "data", identity)
    port = postgresql.free_port()
    settings = AS_IN_PRODUCTION | {"unix_socket_directories": str(folder)}
    with postgresql.running(programs, folder, identity, port=port, synced=True, **settings):
        pid = int((folder / "data" / "postmaster.pid").read_text().split()[0])
        yield f"postgres://postgres@{quote(str(folder), safe='')}:{port}/postgres", pid  # as docs/operations.md does


Measured = dict[tuple[str, str], list[Figures]]  # (server, scenario) to the figures of all rounds


def measure(people: dict[str, People], scenarios: Sequence[str], clients: int, options: argparse.Namespace) -> Measured:
    figures: Measured = {}
    for turn in range(options.rounds):
        for scenario in scenarios:
            in_turns = list(people)[:: -1 if turn % 2 else 1]  # ABBA: nobody is always the first
            for name in in_turns:
                if measurable(people[name].server, scenario):
                    one = measure_once(people[name], scenario, clients, options)
                    figures.setdefault((name, scenario), []).append(one)
    return figures


def measurable(server: Server, scenario: str) -> bool:
    match scenario:
        case "floor":
            return server.name == "this"
        case bench_scenarios.IMPORT:
            return server.checkout is not None
    return True


def measure_once(people: People, scenario: str, clients: int, options: argparse.Namespace) -> Figures:
    if scenario == IMPORT:
        return measure_import(people, options.rows)
    server, number = people.server, options.requests
    requests = bench_scenarios.REQUESTS[scenario](people, number)
    items = bench_scenarios.items_of(scenario, requests, number)
    server.analyze()
    before = processor_seconds(server)
    with bench_scenarios.pollers(people, scenario):
        load = bench_load.drive([server.address], requests, clients=bench_scenarios.clients_of(scenario, clients))
        after = processor_seconds(server)
    if failures := load.failures():
        sys.exit(f"{server.name}, {scenario}: {len(failures)} answers failed, such as:\n{failures[0].decode()}")
    if not bench_scenarios.all_answers_fit(scenario, map(json.loads, load.bodies())):
        sys.exit(f"{server.name}: some answers do not fit the scenario {scenario}.")
    cuts = statistics.quantiles(load.latencies, n=100) if len(load.latencies) > 1 else load.latencies * 99
    app, db = (used(begin, end, items) for begin, end in zip(before, after, strict=True))
    return Figures(items / load.seconds, 1000 * cuts[49], 1000 * cuts[98], app, db, memory(server))


def measure_import(people: People, rows: int) -> Figures:
    """The whole command, its start of about a second included."""
    server = people.server
    with tempfile.TemporaryDirectory(prefix="crm-router-bench-") as folder:
        table = Path(folder) / "contacts.csv"
        bench_scenarios.write_table(people, rows, table)
        server.analyze()
        app_before, (_, db_before) = bench_service.processor_seconds_of_commands(), processor_seconds(server)
        started = time.perf_counter()
        output = server.manage("import_contacts", str(table))
        seconds = time.perf_counter() - started
        app_after, (_, db_after) = bench_service.processor_seconds_of_commands(), processor_seconds(server)
    if not output.startswith(f"{rows} contacts"):
        sys.exit(f"{server.name}: not every row was imported: {output}")
    app, db = used(app_before, app_after, rows), used(db_before, db_after, rows)
    return Figures(rows / seconds, None, None, app, db, memory=None)


def processor_seconds(server: Server) -> tuple[float | None, float | None]:
    """Of the service and of PostgreSQL. SQLite works inside the service."""
    if server.pid is None:
        return None, None
    database = bench_service.processor_seconds(server.database_pid) if server.database_pid else 0.0
    return bench_service.processor_seconds(server.pid), database


def used(before: float | None, after: float | None, items: int) -> float | None:
    return None if before is None or after is None else 1000 * (after - before) / items


def memory(server: Server) -> float | None:
    return None if server.pid is None else bench_service.memory_megabytes(server.pid)


def summary(figures: Measured) -> list[Row]:
    """A row for each server and scenario, with its ratios to a registration by the same server in the same round."""
    rows = []
    for (server, scenario), its in figures.items():
        base = figures[server, "registration"]
        columns = {name: spread([getattr(one, name) for one in its]) for name in COLUMNS}
        rows.append({"server": server, "what": scenario} | columns | ratios(its, base))
    return rows


def compared(figures: Measured) -> list[Row]:
    """A row for each scenario: this service in ratio to the baseline."""
    return [
        {"what": scenario} | ratios(its, figures["baseline", scenario])
        for (server, scenario), its in figures.items()
        if server == "this" and ("baseline", scenario) in figures
    ]


RATIOS = ("pace_ratio", "processor_ratio", "app_ratio", "db_ratio")


def ratios(these: Sequence[Figures], those: Sequence[Figures]) -> Row:
    columns = ("per_second", "processor", "app", "db")
    return {
        name: spread([divided(getattr(a, column), getattr(b, column)) for a, b in zip(these, those, strict=True)])
        for name, column in zip(RATIOS, columns, strict=True)
    }


def divided(this: float | None, that: float | None) -> float | None:
    return this / that if this is not None and that else None


def spread(values: Sequence[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    return {"median": statistics.median(known), "min": min(known), "max": max(known)} if known else None


HEADS = {
    "per_second": "contacts/s",
    "p50": "p50 ms",
    "p99": "p99 ms",
    "app": "CPU app ms",
    "db": "CPU db ms",
    "processor": "CPU ms",
    "memory": "memory MB",
    "pace_ratio": "x pace",
    "processor_ratio": "x CPU",
    "app_ratio": "x CPU app",
    "db_ratio": "x CPU db",
}


def print_tables(rows: Sequence[Row], comparisons: Sequence[Row]) -> None:
    where = "{database}, {clients} clients".format(**rows[0])
    print(f"\n{where}: median (lowest to highest); x: in ratio to a registration in the same round")
    print_table([*COLUMNS, "pace_ratio", "processor_ratio"], {f"{row['server']}, {row['what']}": row for row in rows})
    if comparisons:
        print(f"\n{where}: this service in ratio to the baseline, in the same round")
        print_table(RATIOS, {row["what"]: row for row in comparisons})


def print_table(columns: Sequence[str], rows: dict[str, Row]) -> None:
    print("".join([f"{'':<30}", *(f"{HEADS[name]:<20}" for name in columns)]))
    for title, row in rows.items():
        print("".join([f"{title:<30}", *(f"{cell(row[name]):<20}" for name in columns)]), flush=True)


def cell(figure: Spread) -> str:
    if figure is None:
        return "not measured"
    digits = 0 if figure["median"] >= 100 else 2
    return "{median:.{d}f} ({min:.{d}f}-{max:.{d}f})".format(d=digits, **figure)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
