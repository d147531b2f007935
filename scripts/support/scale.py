"""Measures instances of the service on one PostgreSQL, and reckons what more cores carry.

A round takes all numbers of instances in turn. Each figure is the median of the rounds, with the lowest and highest.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import bench
import bench_load
import bench_service
from bench_scenarios import People, make_sources, rounded_up
from bench_service import Server
from scale_world import MANY_SOURCES, ONE_OPERATOR, ONE_SOURCE, PLACES, SHAPES, Looks, World, registrations

KNOWN = 0.5  # share of people who have written before
MANY = 20  # sources, at least
WARM_UP = 500  # registrations of a turn, from CLIENTS_AT_FIRST, before anything is measured
CLIENTS_AT_FIRST = 50  # more than threads, so that each of them has its statements prepared
IDLE = 5  # seconds
USED = 0.7  # of the cores, at most: what comes unevenly has to wait otherwise
CORES = (8, 32, 128)


@dataclass(frozen=True)
class Figures:
    """Of one measurement. Processor time in milliseconds for each registration; `waits` as in `Looks`."""

    per_second: float
    p50: float  # milliseconds
    p99: float
    service: float  # of all instances together
    sessions: float  # of PostgreSQL
    background: float
    clients: float
    wal: float  # bytes for each registration
    waits: dict[str, float]
    disk_is_busy: float  # share of the time

    @property
    def database(self) -> float:
        return self.sessions + self.background


@dataclass(frozen=True)
class Idle:
    """Milliseconds of processor in a second in which nobody calls."""

    service: float  # of each instance
    database: float


Measured = dict[tuple[int, str], list[Figures]]  # by instances and shape


def main(arguments: list[str]) -> int:
    options = read(arguments)
    if os.geteuid() != 0:
        sys.exit("scripts/scale makes networks, which takes root.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(
        f"{bench.machine()}; {options.clients} clients, {options.requests} requests at a time, "
        f"{options.processes} processes.",
        flush=True,
    )
    measured: Measured = {}
    idle: dict[int, list[Idle]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="crm-router-scale-", ignore_cleanup_errors=True) as name,
        ExitStack() as end,
    ):
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL has stepped down from root
        world = World(folder, end, instances=max(options.instances))
        people: People | None = None
        for _ in range(options.rounds):
            for number in options.instances:
                processes = max(1, options.processes // number)
                with world.instances(number, WEB_CONCURRENCY=str(processes)) as instances:
                    if people is None:
                        commits = world.commits_a_second()
                        people = People(instances[0], KNOWN, options.requests)
                        sources = make_sources(instances[0], sources_for(options))
                    people.server = instances[0]
                    warm_up(instances, people, sources)
                    for shape in SHAPES:
                        one = measure(world, instances, people, shape, sources, options)
                        measured.setdefault((number, shape), []).append(one)
                    idle.setdefault(number, []).append(measure_idle(world, instances))
    print(f"\nOne session alone commits {commits:.0f} times a second on this disk.")
    for part in (costs_table(measured), waits_table(measured), idle_table(idle), cores_table(measured)):
        print("\n" + "\n".join(part))
    of_operator = [one.per_second for (_, shape), its in measured.items() if shape == ONE_OPERATOR for one in its]
    print(f"\nOne operator gets at most {spread(of_operator)} contacts a second.")
    return 0


def read(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/scale", description=__doc__)
    add = parser.add_argument
    add("--instances", type=bench.numbers, default=[1, 2, 4], help="how many at a time: 1,2,4")
    add("--clients", type=int, default=8)
    add("--requests", type=int, default=1_000, help="in one measurement")
    add("--rounds", type=int, default=2)
    add("--processes", type=int, default=4, help="of all instances together, at least one of each")
    options = parser.parse_args(arguments)
    if min(options.clients, options.requests, options.rounds, options.processes, *options.instances) < 1:
        parser.error("--instances, --clients, --requests, --rounds and --processes must be at least 1.")
    return options


def sources_for(options: argparse.Namespace) -> int:
    """How many sources have room for all turns."""
    contacts = options.rounds * len(options.instances) * (options.requests + WARM_UP)
    return max(MANY, rounded_up(contacts, PLACES[ONE_SOURCE]))


def warm_up(instances: Sequence[Server], people: People, sources: list[int]) -> None:
    requests = registrations(people, MANY_SOURCES, sources, WARM_UP)
    bench_load.drive([one.address for one in instances], requests, clients=CLIENTS_AT_FIRST)


def measure(
    world: World,
    instances: Sequence[Server],
    people: People,
    shape: str,
    sources: list[int],
    options: argparse.Namespace,
) -> Figures:
    requests = registrations(people, shape, sources, options.requests)
    instances[0].analyze()
    looks = Looks(world.url)
    before = seconds_used(world, instances, looks.pid)
    with looks:
        load = bench_load.drive([one.address for one in instances], requests, clients=options.clients)
        after = seconds_used(world, instances, looks.pid)
    if failures := load.failures():
        sys.exit(f"{shape}: {len(failures)} answers failed, such as:\n{failures[0].decode(errors='replace')}")
    if any(json.loads(body)["operator_id"] is None for body in load.bodies()):
        sys.exit(f"{shape}: some contacts have to wait, so the shape was not measured.")
    each = [1000 * (then - now) / len(requests) for now, then in zip(before, after, strict=True)]
    service, sessions, background, clients, wal = each
    cuts = statistics.quantiles(load.latencies, n=100) if len(load.latencies) > 1 else load.latencies * 99
    return Figures(
        per_second=len(requests) / load.seconds,
        p50=1000 * cuts[49],
        p99=1000 * cuts[98],
        service=service,
        sessions=sessions,
        background=background,
        clients=clients,
        wal=wal / 1000,
        waits=looks.waits,
        disk_is_busy=looks.disk_is_busy,
    )


def seconds_used(world: World, instances: Sequence[Server], looking: int) -> tuple[float, ...]:
    """Of the service, of sessions and the rest of PostgreSQL, of the clients; and bytes of the log."""
    service = sum(bench_service.processor_seconds(one.pid) for one in instances if one.pid)
    return service, *world.database_seconds(without=looking), time.process_time(), world.wal_bytes()


def measure_idle(world: World, instances: Sequence[Server]) -> Idle:
    time.sleep(IDLE)  # what the calls before have left to do
    before = seconds_used(world, instances, 0)
    time.sleep(IDLE)
    after = seconds_used(world, instances, 0)
    service, sessions, background, *_ = (1000 * (then - now) / IDLE for now, then in zip(before, after, strict=True))
    return Idle(service / len(instances), sessions + background)


COSTS: dict[str, Callable[[Figures], float]] = {
    "registrations a second": lambda one: one.per_second,
    "p50 ms": lambda one: one.p50,
    "p99 ms": lambda one: one.p99,
    "service, ms": lambda one: one.service,
    "sessions of PostgreSQL, ms": lambda one: one.sessions,
    "rest of PostgreSQL, ms": lambda one: one.background,
    "clients, ms": lambda one: one.clients,
}
WAITS: dict[str, Callable[[Figures], float]] = {
    "at work": lambda one: one.waits.get("works", 0),
    "for the service": lambda one: one.waits.get("service", 0),
    "for a row": lambda one: one.waits.get("row", 0),
    "for the disk": lambda one: one.waits.get("disk", 0) + one.waits.get("turn", 0),
    "the disk is busy, %": lambda one: 100 * one.disk_is_busy,
    "log, kB": lambda one: one.wal / 1000,
}


def costs_table(measured: Measured) -> Iterator[str]:
    """Processor time for each registration, and its pace."""
    yield from table(measured, COSTS)


def waits_table(measured: Measured) -> Iterator[str]:
    """Sessions of PostgreSQL by what they do or wait for, on average."""
    yield from table(measured, WAITS)


def table(measured: Measured, columns: dict[str, Callable[[Figures], float]]) -> Iterator[str]:
    yield from head(["instances", "clients meet in", *columns])
    for shape in SHAPES:
        for number in sorted({number for number, _ in measured}):
            its = measured[number, shape]
            yield line([str(number), shape, *(spread([value(one) for one in its]) for value in columns.values())])


def idle_table(idle: dict[int, list[Idle]]) -> Iterator[str]:
    yield from head(["instances, idle", "each, ms a second", "PostgreSQL, ms a second"])
    for number, its in sorted(idle.items()):
        yield line([str(number), spread([one.service for one in its]), spread([one.database for one in its])])


def cores_table(measured: Measured) -> Iterator[str]:
    """By arithmetic, from what a registration costs with the most instances in many sources."""
    most = max(number for number, _ in measured)
    its = measured[most, MANY_SOURCES]
    service = statistics.median(one.service for one in its)
    database = statistics.median(one.database for one in its)
    wal = statistics.median(one.wal for one in its)
    yield from head(["cores", "for the service", "for PostgreSQL", "registrations a second", "log, MB a second"])
    for cores in CORES:
        for_service, for_database, pace = shared(cores, service=service, database=database)
        yield line([str(cores), f"{for_service:.1f}", f"{for_database:.1f}", f"{pace:.0f}", f"{pace * wal / 1e6:.1f}"])


def shared(cores: int, *, service: float, database: float) -> tuple[float, float, float]:
    """Cores for each of the two, whose costs are in milliseconds, and how many registrations a second keep all of them
    busy for the share USED of the time."""
    both = service + database
    return cores * service / both, cores * database / both, USED * cores * 1000 / both


def spread(values: Sequence[float]) -> str:
    digits = 0 if statistics.median(values) >= 100 else 1 if statistics.median(values) >= 10 else 2
    median, low, high = (f"{value:.{digits}f}" for value in (statistics.median(values), min(values), max(values)))
    return median if low == high else f"{median} ({low} to {high})"


def head(names: Sequence[str]) -> Iterator[str]:
    yield line(names)
    yield "|---" * len(names) + "|"


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
