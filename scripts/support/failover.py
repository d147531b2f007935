"""Failovers of PostgreSQL under load: nothing answered is lost or doubled, and the service goes on by itself."""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

import failover_checks
from failover_bots import BOTS, Journal, Threads, probe
from failover_hosts import wait_until
from failover_pooler import pooler
from failover_scenarios import SCENARIOS, Scenario, pooler_restarted
from failover_world import Course, World

POOLER = "pooler restarted"
WARM_UP = 5  # seconds under load before the fault


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/failover", description=__doc__)
    parser.add_argument("scenarios", nargs="*", help=f"any of: {', '.join([*SCENARIOS, POOLER])}; all by default")
    wanted = parser.parse_args().scenarios or [*SCENARIOS, POOLER]
    if unknown := [name for name in wanted if name not in (*SCENARIOS, POOLER)]:
        parser.error(f"unknown scenarios: {', '.join(unknown)}")
    if os.geteuid() != 0:
        sys.exit("scripts/failover makes networks, which takes root.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with (
        tempfile.TemporaryDirectory(prefix="crm-router-failover-", ignore_cleanup_errors=True) as name,
        ExitStack() as end,
    ):
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL has stepped down from root
        world = World(folder, end)
        rows, findings = [], []
        for row, found in run(world, wanted):
            rows.append(row)
            findings += found
        print("\n" + failover_checks.table(rows))
    print("\n".join(["", "FOUND:", *findings] if findings else ["", "Nothing lost, nothing doubled, nothing broken."]))
    sys.exit(1 if findings else 0)


def run(world: World, wanted: list[str]) -> Iterator[tuple[dict[str, str], list[str]]]:
    with ExitStack() as serving:
        world.start_instances(serving, world.url)
        world.fill()
        for name in [name for name in SCENARIOS if name in wanted]:
            yield play(world, name, SCENARIOS[name])
    if POOLER in wanted:
        with ExitStack() as serving:
            yield from with_pooler(world, serving)


def play(world: World, name: str, scenario: Scenario) -> tuple[dict[str, str], list[str]]:
    print(f"{time.strftime('%H:%M:%S')} {name}: {' '.join((scenario.__doc__ or '').split())}", flush=True)
    make_standby(world)
    course, journal = Course(name), Journal()
    with at_work(world, name, journal):
        time.sleep(WARM_UP)
        scenario(world, course)
    course.findings += failover_checks.check(world, course, journal, Random(name))
    course.notes.append(failover_checks.reasons(course, journal))
    row = failover_checks.row(course, journal)
    measured = ", ".join(f"{what} {value}" for what, value in row.items())
    print(f"{time.strftime('%H:%M:%S')} {measured}", *course.notes, *course.findings, sep="\n    ", flush=True)
    return row, [f"{name}: {finding}" for finding in course.findings]


def make_standby(world: World) -> None:
    """Of whatever the other host has become, unless it is one already."""
    if world.primary.ask("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"):
        return
    if world.standby.process:
        world.standby.kill()
    world.standby.heal()
    world.standby.copy(world.primary)
    wait_until(lambda: world.primary.ask("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"), "it confirms")


@contextmanager
def at_work(world: World, name: str, journal: Journal) -> Iterator[None]:
    bots = Threads(*(world.bot(number, name.replace(" ", "-"), journal).work for number in range(BOTS)))
    probes = Threads(*(probe(instance.name, instance.address[1], journal) for instance in world.instances))
    try:
        yield
    finally:
        bots.stop()
        probes.stop()


def with_pooler(world: World, serving: ExitStack) -> Iterator[tuple[dict[str, str], list[str]]]:
    bouncer = serving.enter_context(pooler(world.folder, world.primary))
    world.start_instances(serving, bouncer.url, DATABASE_POOLER="true")
    if not hasattr(world, "source"):
        world.fill()

    yield play(world, POOLER, pooler_restarted(bouncer))


if __name__ == "__main__":
    main()
