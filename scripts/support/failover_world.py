"""Two hosts of PostgreSQL, two instances of the service, nginx; and how a failover in it went."""

import os
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import bench_service
import commit_judge
import psycopg
from bench_service import PROJECT, Server
from failover_bots import Bot, Journal
from failover_hosts import PORT, Host, Networks

from tests.service.nginx import Nginx

OPERATORS, LIMIT = 10, 4  # fewer places than the bots have open contacts: some wait
TOGETHER = {"SECRET_KEY": "x" * 60, "TRUSTED_PROXIES": "127.0.0.1", "WEB_CONCURRENCY": "2", "WEB_THREADS": "4"}


@dataclass
class Course:
    """When what happened in a scenario, by the monotonic clock, and what was found."""

    name: str
    fault: float = 0
    mended: float = 0  # promoted, connected again, started again
    workers_killed: float = float("inf")  # on purpose, later
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
            connection.execute(commit_judge.INSTALL.encode())

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
