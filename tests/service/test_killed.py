"""kill -9 of every process in turn, while bots register: nothing that was answered is lost or done twice."""

import http.client
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest

from tests.service.bots import PersistentBots
from tests.service.conftest import StartService
from tests.service.nginx import Nginx
from tests.service.own_postgresql import Server
from tests.service.running import PATIENCE, PROJECT, Service, children, free_port, wait_until
from tests.service.test_behind_nginx import BEHIND

pytestmark = [pytest.mark.service, pytest.mark.nginx, pytest.mark.postgresql]

OPERATORS, LIMIT = 5, 20
SOME = 10  # contacts that are registered between one kill and the next
PAUSE = 0.2  # seconds between two of one bot while something is to start
# Workers whose master was killed answer their clients for so many seconds, by default 30.
GRACE = {"GUNICORN_CMD_ARGS": "--graceful-timeout 2"}


class Sweep:
    """`manage.py route_waiting --loop`, as the worker of deploy/compose.production.yaml runs it."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self.env, self.log = env, log

    def start(self) -> None:
        command = [sys.executable, "manage.py", "route_waiting", "--loop", "0.5"]
        with self.log.open("a") as output:
            self.process = subprocess.Popen(command, cwd=PROJECT, env=self.env, stdout=output, stderr=subprocess.STDOUT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)

    def wait_for_a_whole_round(self) -> None:
        """One that has begun from now on, which may be the second that ends."""
        rounds = self.log.read_text().count(" assigned, ")
        wait_until(lambda: self.log.read_text().count(" assigned, ") >= rounds + 2, "the queue is swept")


class Router:
    """The whole of it: PostgreSQL, two instances, nginx in front, and the sweep beside."""

    def __init__(self, server: Server, start: StartService, nginx: Callable[..., Nginx], folder: Path) -> None:
        self.server, self.begin = server, start
        server.start()
        self.instances = [self.instance(free_port()).wait_until_up(), self.instance(free_port()).wait_until_up()]
        self.nginx = nginx(*(instance.address[1] for instance in self.instances))
        self.sweep = Sweep(self.instances[0].env, folder / "sweep")
        self.sweep.start()

    def instance(self, port: int) -> Service:
        more = {"DATABASE_URL": self.server.url, "SWEEP_SECONDS": "0", "WEB_CONCURRENCY": "2", "PORT": str(port)}
        return self.begin(**BEHIND, **GRACE, **more)

    def kill_a_worker(self) -> None:
        instance = self.instances[0]
        known = instance.workers()
        os.kill(known[-1], signal.SIGKILL)
        wait_until(lambda: len(instance.workers()) > len(known), "the killed worker is replaced")

    def kill_a_master(self) -> None:
        old = self.instances[1]
        old.signal(signal.SIGKILL)
        old.process.wait(PATIENCE)
        wait_until(lambda: not old.is_survived(), "its workers have ended")
        self.instances[1] = self.instance(old.address[1]).wait_until_up()

    def kill_the_sweep(self) -> None:
        self.sweep.kill()
        self.sweep.start()

    def kill_a_backend(self) -> None:
        self.server.kill_a_backend()

    def kill_the_postmaster(self) -> None:
        self.server.kill()
        self.server.start()

    def kill_a_worker_of_nginx(self) -> None:
        assert self.nginx.process
        os.kill(children(self.nginx.process.pid)[0], signal.SIGKILL)

    def kill_nginx(self) -> None:
        self.nginx.kill()
        self.nginx.start()


KILLS = [
    Router.kill_a_worker,
    Router.kill_a_master,
    Router.kill_the_sweep,
    Router.kill_a_backend,
    Router.kill_the_postmaster,
    Router.kill_a_worker_of_nginx,
    Router.kill_nginx,
]


@pytest.fixture
def router(server: Server, start: StartService, nginx: Callable[..., Nginx], tmp_path: Path) -> Iterator[Router]:
    router = Router(server, start, nginx, tmp_path)
    yield router
    router.sweep.kill()


def resolve_every_second(crowd: PersistentBots) -> None:
    """Somebody at work, who tries again what has failed: resolving twice changes nothing."""
    done = 0
    while not crowd.ending.wait(0.05):
        if done < crowd.answered():
            with suppress(OSError, http.client.HTTPException), closing(crowd.connect()) as connection:
                connection.request("POST", f"/api/v1/contacts/{crowd.contacts[done]['id']}/resolve")
                done += 2 if connection.getresponse().status == 200 else 0


def wait_for_some(crowd: PersistentBots) -> None:
    crowd.pause = 0
    known = crowd.answered()
    wait_until(lambda: crowd.answered() > known + SOME, "the bots are at work")
    crowd.pause = PAUSE


def places(server: Server) -> list[tuple[int, int, int]]:
    """Of each operator: the load that is counted, the contacts that are open, the limit."""
    mine = "SELECT count(*) FROM routing_contact WHERE operator_id = operator.id AND resolved_at IS NULL"
    found: list[tuple[int, int, int]] = server.ask(
        f"SELECT current_load, ({mine}), max_load FROM operators_operator operator"
    )
    return found


def stored(server: Server) -> dict[str, int]:
    """Key to contact. That each key stands there once is for the database to say, so it is counted."""
    rows = server.ask("SELECT idempotency_key, id FROM routing_contact")
    assert len(rows) == len(dict(rows))
    return dict(rows)


def lose_a_contact(server: Server) -> None:
    """Behind everybody's back."""
    with psycopg.connect(server.url) as somebody:
        somebody.execute("SET session_replication_role = replica")  # nothing that belongs to it is in the way
        an_open_one = "SELECT id FROM routing_contact WHERE operator_id IS NOT NULL AND resolved_at IS NULL LIMIT 1"
        somebody.execute(f"DELETE FROM routing_contact WHERE id = ({an_open_one})")


def test_whatever_dies_nothing_that_was_answered_is_lost_or_done_twice(router: Router) -> None:
    source = router.instances[0].roster(operators=OPERATORS, limit=LIMIT)
    address, trust = router.nginx.address, router.nginx.trust
    crowd = PersistentBots(address, source, total=1_000_000, trust=trust).start()
    at_work = threading.Thread(target=resolve_every_second, args=[crowd])
    at_work.start()
    for kill in KILLS:
        wait_for_some(crowd)
        kill(router)
    wait_for_some(crowd)
    crowd.stop()
    at_work.join(PATIENCE)
    router.sweep.wait_for_a_whole_round()

    print(
        f"{crowd.answered()} contacts, {len(crowd.others)} refusals, {crowd.dropped + crowd.refused} lost connections"
    )
    assert {status for status, _ in crowd.others} <= {502, 503}
    assert stored(router.server) == crowd.made
    assert all(load == held <= limit for load, held, limit in places(router.server))
    assert router.instances[0].findings() == []

    lose_a_contact(router.server)
    assert stored(router.server) != crowd.made
    assert not all(load == held for load, held, _ in places(router.server))
    assert router.instances[0].manage("check_routing").returncode == 1
