"""Failovers of PostgreSQL under load: nothing answered is lost or doubled, and the service goes on by itself."""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[2]))

import bench_service
import failover_checks
import psycopg
from bench_service import PROJECT, Server
from failover_bots import BOTS, Bot, Journal, Threads, probe
from failover_hosts import CLIENTS, PORT, REPLICATION, Host, Networks, wait_until
from failover_pooler import pooler

from tests.concurrency.judge import OF_CONTACTS, OF_DECISIONS, OF_OPERATORS
from tests.service.nginx import Nginx

OPERATORS, LIMIT = 10, 4  # fewer places than the bots have open contacts: some wait
WARM_UP, AFTERWARDS = 5, 8  # seconds under load before the fault and after the service has gone on
UNTIL_PROMOTION = 8  # seconds from the fault: as long as a failover manager takes to be sure, or longer
DROPPED = 20  # seconds
WITHOUT_STANDBY = 20  # seconds
TOGETHER = {"SECRET_KEY": "x" * 60, "TRUSTED_PROXIES": "127.0.0.1", "WEB_CONCURRENCY": "2", "WEB_THREADS": "4"}


@dataclass
class Course:
    """When what happened in a scenario, by the monotonic clock, and what was found."""

    name: str
    fault: float = 0
    mended: float = 0  # promoted, connected again, started again
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class World:
    """Two hosts of PostgreSQL, two instances of the service, nginx. The bots pause between scenarios."""

    def __init__(self, folder: Path, ending: ExitStack) -> None:
        self.folder, self.ending = folder, ending
        self.networks = Networks()
        ending.callback(self.networks.destroy)
        self.hosts = []
        for number in (1, 2):
            self.hosts.append(Host(self.networks, number, folder / f"host-{number}"))
            ending.callback(self.hosts[-1].destroy)
        self.primary, self.standby = self.hosts
        self.primary.initialise()
        self.primary.start()
        places = ",".join(f"{host.address()}:{PORT}" for host in self.hosts)
        self.url = f"postgres://postgres@{places}/postgres"
        self.instances: list[Server] = []

    def start_instances(self, where: ExitStack, url: str, **settings: str) -> None:
        """And nginx in front. All at once would migrate at once."""
        number = len(list(self.folder.glob("instance-*")))
        self.instances = [
            where.enter_context(
                bench_service.service(
                    f"instance {each}",
                    checkout=PROJECT,
                    database=url,
                    database_pid=None,
                    folder=self.folder / f"instance-{number + each}",
                    STATIC_ROOT=os.environ.get("STATIC_ROOT") or str(self.folder / "static"),
                    **TOGETHER,
                    **settings,
                )
            )
            for each in (1, 2)
        ]
        ports = [instance.address[1] for instance in self.instances]
        self.nginx = Nginx(self.folder / f"nginx-{number}", instances=ports, static=self.folder).start()
        where.callback(self.nginx.destroy)

    def fill(self) -> None:
        service = self.instances[0]
        self.source = service.post("/sources", {"name": "Telegram bot"})["id"]
        for number in range(OPERATORS):
            operator = service.post("/operators", {"name": f"Operator {number}", "max_load": LIMIT})["id"]
            service.post(f"/sources/{self.source}/operators", {"operator_id": operator})
        with psycopg.connect(host=str(self.primary.folder), user="postgres", dbname="postgres") as connection:
            connection.execute((OF_CONTACTS + OF_OPERATORS + OF_DECISIONS).encode())

    def bot(self, number: int, run: str, journal: Journal) -> Bot:
        return Bot(
            number,
            run,
            address=self.nginx.address,
            trust=self.nginx.trust,
            key=self.instances[0].key,
            source=self.source,
            journal=journal,
        )

    def swap(self) -> None:
        self.primary, self.standby = self.standby, self.primary

    def kill_workers(self) -> None:
        """One of each instance: the next one has no connection yet, and chooses a host."""
        for instance in self.instances:
            assert instance.pid
            children = Path(f"/proc/{instance.pid}/task/{instance.pid}/children").read_text().split()
            os.kill(int(children[0]), signal.SIGKILL)


Scenario = Callable[[World, Course], None]


def killed(world: World, course: Course) -> None:
    """The primary is killed, the standby is promoted."""
    course.fault = time.monotonic()
    world.primary.kill()
    time.sleep(3)
    promote(world, course)
    time.sleep(AFTERWARDS)


def cut_off(world: World, course: Course) -> None:
    """The primary is cut off from all others, the standby is promoted. Then the former primary comes back, and takes
    changes as before: nobody has told it."""
    course.fault = time.monotonic()
    world.primary.cut()
    time.sleep(UNTIL_PROMOTION)
    promote(world, course)
    time.sleep(AFTERWARDS)
    leave_former_alone(world, course)


def parted(world: World, course: Course) -> None:
    """Only primary and standby lose each other. The standby is promoted although the service reaches both."""
    course.fault = time.monotonic()
    world.primary.cut(REPLICATION)
    time.sleep(UNTIL_PROMOTION)
    promote(world, course)
    time.sleep(15)
    leave_former_alone(world, course)


def leave_former_alone(world: World, course: Course) -> None:
    """The former primary can be reached again, and some processes of the service make their connections anew."""
    former = world.standby
    former.heal()
    [(before, back_at)] = former.ask("SELECT coalesce(max(id), 0), now() FROM routing_contact")
    world.kill_workers()
    time.sleep(15)
    [(after,)] = former.ask("SELECT coalesce(max(id), 0) FROM routing_contact")
    [(sessions, commits)] = former.ask(
        f"SELECT count(*) FILTER (WHERE backend_start BETWEEN '{back_at}' AND now() - interval '3 s'),"
        f" count(*) FILTER (WHERE wait_event = 'SyncRep' AND query_start > '{back_at}')"
        f" FROM pg_stat_activity WHERE client_addr = '{world.networks.prefix}.{CLIENTS}.1'"
    )
    unconfirmed = former.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")[0][0]
    course.notes.append(f"on the former primary {unconfirmed} commits wait, which nobody was told of")
    if after != before or commits:
        course.findings.append(
            f"the former primary got {after - before} contacts and {commits} commits after its return"
        )
    if sessions:
        course.findings.append(f"{sessions} sessions were begun on the former primary after its return, and kept")


def dropped(world: World, course: Course) -> None:
    """All packets from and to the primary are dropped for 20 s. Nobody is promoted."""
    course.fault = time.monotonic()
    world.primary.cut()
    time.sleep(DROPPED)
    world.primary.heal()
    course.mended = time.monotonic()
    time.sleep(AFTERWARDS + 15)


def standby_gone(world: World, course: Course) -> None:
    """The standby is gone, and commits must wait for it: the service refuses. Then it is back."""
    course.fault = time.monotonic()
    world.standby.kill()
    time.sleep(WITHOUT_STANDBY)
    reads, _ = world.bot(0, "read", Journal()).call("GET", "/operators")
    course.notes.append(f"a list is answered with {reads} meanwhile")
    if reads != 200:
        course.findings.append(f"without a standby a list is answered with {reads}")
    world.standby.start()
    course.mended = time.monotonic()
    time.sleep(AFTERWARDS + 15)


def standby_released(world: World, course: Course) -> None:
    """The standby is gone, and after some seconds commits need not wait any more: Patroni's synchronous_mode."""
    course.fault = time.monotonic()
    world.standby.kill()
    time.sleep(UNTIL_PROMOTION)
    world.primary.require_standby("")
    course.mended = time.monotonic()
    time.sleep(AFTERWARDS)
    world.standby.start()
    world.primary.require_standby()


def promote(world: World, course: Course) -> None:
    world.standby.promote()
    wait_until(lambda: world.standby.ask("SELECT pg_is_in_recovery()") == [(False,)], "it is promoted")
    course.mended = time.monotonic()
    world.swap()


SCENARIOS: dict[str, Scenario] = {
    "killed": killed,
    "cut off": cut_off,
    "parted": parted,
    "dropped": dropped,
    "standby gone": standby_gone,
    "standby released": standby_released,
}
POOLER = "pooler restarted"


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

    def restarted(world: World, course: Course) -> None:
        """PgBouncer is killed and started again."""
        course.fault = time.monotonic()
        bouncer.kill()
        time.sleep(3)
        bouncer.start()
        course.mended = time.monotonic()
        time.sleep(AFTERWARDS)

    yield play(world, POOLER, restarted)


if __name__ == "__main__":
    main()
