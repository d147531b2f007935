"""Two hosts of PostgreSQL, each with a network of its own that can be cut: a primary and a synchronous standby."""

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import bench_service
import postgresql
import psycopg

PORT = 5432
PATIENCE = 120  # seconds
STANDBY = "standby"  # the name by which a standby reports to its primary
CLIENTS, REPLICATION = 0, 1  # the two networks of each host
SETTINGS = f"""
listen_addresses = '*'
port = {PORT}
max_connections = 200
wal_level = replica
wal_keep_size = 512MB
wal_log_hints = on
synchronous_commit = on
# A host that is gone is noticed as soon as by the service.
wal_sender_timeout = 5s
wal_receiver_timeout = 5s
wal_retrieve_retry_interval = 1s
"""


class Networks:
    """One bridge for the clients and one for replication. The machine itself stands only in the first."""

    def __init__(self) -> None:
        self.name = f"f{secrets.token_hex(3)}"
        self.prefix = f"10.{secrets.randbelow(200) + 20}"
        for number in (CLIENTS, REPLICATION):
            ip("link", "add", self.bridge(number), "type", "bridge")
            ip("link", "set", self.bridge(number), "up")
        ip("addr", "add", f"{self.prefix}.{CLIENTS}.1/24", "dev", self.bridge(CLIENTS))

    def bridge(self, number: int) -> str:
        return f"{self.name}br{number}"

    def destroy(self) -> None:
        for number in (CLIENTS, REPLICATION):
            ip("link", "delete", self.bridge(number))


class Namespace:
    """A network namespace, with one address in each of the networks."""

    def __init__(self, networks: Networks, number: int) -> None:
        self.networks, self.number = networks, number
        self.name = f"{networks.name}h{number}"
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "set", "lo", "up")
        for network in (CLIENTS, REPLICATION):
            ip("link", "add", self.plug(network), "type", "veth", "peer", "name", f"eth{network}", "netns", self.name)
            ip("link", "set", self.plug(network), "up")
            ip("-n", self.name, "addr", "add", f"{self.address(network)}/24", "dev", f"eth{network}")
            ip("-n", self.name, "link", "set", f"eth{network}", "up")
        self.heal()

    @property
    def enter(self) -> list[str]:
        """What a command begins with that runs in it."""
        return ["nsenter", f"--net=/run/netns/{self.name}"]

    def plug(self, network: int) -> str:
        return f"{self.name}p{network}"

    def address(self, network: int = CLIENTS) -> str:
        return f"{self.networks.prefix}.{network}.1{self.number}"

    def cut(self, *networks: int) -> None:
        """From now on all packets vanish, without a word to either side."""
        for network in networks or (CLIENTS, REPLICATION):
            ip("link", "set", self.plug(network), "nomaster")

    def heal(self) -> None:
        for network in (CLIENTS, REPLICATION):
            ip("link", "set", self.plug(network), "master", self.networks.bridge(network))

    def destroy(self) -> None:
        ip("netns", "delete", self.name)


class Host(Namespace):
    """With a PostgreSQL. Its socket is a file, which no cut network keeps from us."""

    def __init__(self, networks: Networks, number: int, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.identity = postgresql.unprivileged(folder)
        found = postgresql.reachable(postgresql.find_programs(), folder, self.identity)
        self.programs = (found / "initdb").resolve().parent  # links to a few of them may lie elsewhere
        self.process: subprocess.Popen[bytes] | None = None
        super().__init__(networks, number)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def initialise(self) -> None:
        postgresql.initialise(self.programs, self.data, self.identity)
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(f"{SETTINGS}unix_socket_directories = '{self.folder}'\n")
        with (self.data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all,replication all {self.networks.prefix}.0.0/16 trust\n")

    def copy(self, primary: "Host") -> None:
        """What was here is deleted: this host is a standby of the primary from now on, and confirms its commits."""
        shutil.rmtree(self.data, ignore_errors=True)
        command = ["pg_basebackup", "-D", str(self.data), "-h", primary.address(REPLICATION), "-U", "postgres"]
        self.run([*command, "-c", "fast", "-X", "stream"])
        where = f"host={primary.address(REPLICATION)} port={PORT} user=postgres application_name={STANDBY}"
        noticing = "connect_timeout=2 tcp_user_timeout=5000 keepalives_idle=2 keepalives_interval=1 keepalives_count=3"
        with (self.data / "postgresql.conf").open("a") as conf:
            conf.write(f"unix_socket_directories = '{self.folder}'\nprimary_conninfo = '{where} {noticing}'\n")
        # Once promoted it waits for nobody; a failover manager does the same.
        (self.data / "postgresql.auto.conf").write_text("")
        (self.data / "standby.signal").touch()
        for path in (self.data / "postgresql.auto.conf", self.data / "standby.signal"):
            shutil.chown(path, *self.owner) if self.owner else None
        self.start()
        wait_until(lambda: primary.ask("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"), "it follows")
        primary.require_standby()

    @property
    def owner(self) -> tuple[int, int] | None:
        return (self.identity["user"], self.identity["group"]) if "user" in self.identity else None

    def run(self, command: Sequence[str]) -> None:
        subprocess.run(self.inside(command), check=True, capture_output=True, cwd=self.folder)

    def inside(self, command: Sequence[str]) -> list[str]:
        """One of PostgreSQL's programs in this network, as the user to whom the data belong."""
        enter = self.enter
        if owner := self.owner:
            enter += ["setpriv", f"--reuid={owner[0]}", f"--regid={owner[1]}", "--clear-groups"]
        return [*enter, f"{self.programs}/{command[0]}", *command[1:]]

    def start(self) -> None:
        with (self.folder / "log").open("ab") as output:
            self.process = subprocess.Popen(
                self.inside(["postgres", "-D", str(self.data)]),
                stdout=output,
                stderr=output,
                start_new_session=True,
                cwd=self.folder,
            )
        wait_until(self.answers, f"{self.name} answers")

    def answers(self) -> bool:
        try:
            self.ask("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """kill -9 of all its processes, as if its power were cut."""
        assert self.process
        for pid in bench_service.family(self.process.pid):
            with suppress(ProcessLookupError):  # it has followed another one by itself
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def promote(self) -> None:
        self.run(["pg_ctl", "promote", "-D", str(self.data)])

    def require_standby(self, name: str = STANDBY) -> None:
        """Commits wait for a standby of this name; for nobody if it is empty."""
        self.ask(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        self.ask("SELECT pg_reload_conf()")

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(
            host=str(self.folder), port=PORT, user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def destroy(self) -> None:
        if self.process:
            self.kill()
        super().destroy()


def wait_until(condition: Any, what: str) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"Waited {PATIENCE} seconds in vain for this: {what}.")
        time.sleep(0.05)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
