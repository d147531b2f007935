"""PostgreSQL's programs, and a server of a test's own, which may be stopped and started again."""

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import postgresql  # the one that scripts/test starts
import psycopg

from tests.service.running import PROJECT, children, free_port, is_alive, wait_until


class Server:
    """Its database is empty, or that of another one which is not running: a copy, or with `follows` a standby."""

    def __init__(self, folder: Path, *, copies: "Server | None" = None, follows: "Server | None" = None) -> None:
        self.identity = postgresql.unprivileged(folder)
        self.programs = postgresql.reachable(postgresql.find_programs(), folder, self.identity)
        self.folder, self.port = folder, free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        if original := copies or follows:
            subprocess.run(["cp", "--archive", original.folder / "data", folder], check=True)
        else:
            postgresql.initialise(self.programs, folder / "data", self.identity)
        if follows:
            (folder / "data/standby.signal").touch()
            with (folder / "data/postgresql.auto.conf").open("a") as conf:
                conf.write(f"primary_conninfo = '{follows.url}'\n")
        self.running = ExitStack()

    def log_as_deployed(self) -> None:
        """Before the start: by the settings of deploy/postgresql. Who waits for a lock is told of soon."""
        lines = (PROJECT / "deploy/postgresql/postgresql.conf").read_text().splitlines()
        logging = [
            line for line in lines if line.startswith(("log_", "shared_preload_libraries", "pg_stat_statements"))
        ]
        with (self.folder / "data/postgresql.conf").open("a") as conf:
            conf.write("\n".join([*logging, "deadlock_timeout = 10ms", ""]))

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def start(self) -> None:
        self.running.enter_context(
            postgresql.running(self.programs, self.folder, self.identity, port=self.port, synced=True)
        )

    def stop(self) -> None:
        self.running.close()

    def make_database(self, name: str, *, disk: Path) -> str:
        """A copy of its usual one, whose tables lie on this disk. Gives back its URL."""
        self.start()
        with psycopg.connect(self.url.removesuffix("postgres") + "template1", autocommit=True) as admin:
            admin.execute(f"CREATE TABLESPACE {name} LOCATION '{disk}'")
            admin.execute(f"CREATE DATABASE {name} TEMPLATE postgres TABLESPACE {name}")
        return self.url.removesuffix("postgres") + name

    def log_writes_on(self, disk: Path) -> None:
        """Before the start: what has been committed is written there first."""
        log = self.folder / "data/pg_wal"
        subprocess.run(["mv", log, disk], check=True)
        log.symlink_to(disk / log.name)

    @contextmanager
    def make_standby(self) -> Iterator["Server"]:
        """A running copy that follows this server, which is not running yet, and is then."""
        with tempfile.TemporaryDirectory(prefix="crm-router-standby-", ignore_cleanup_errors=True) as folder:
            standby = Server(Path(folder), follows=self)
            self.start()
            standby.start()
            yield standby
            standby.stop()

    def begin_another_log(self) -> None:
        """As if 16 MiB had been written; it may be that for which there is no room."""
        with suppress(psycopg.Error):
            self.ask("SELECT pg_switch_wal()")

    def kill_a_backend(self) -> None:
        """One that serves a client; all others go with it."""
        mine = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
        [pid] = self.ask(f"SELECT pid FROM pg_stat_activity WHERE {mine} LIMIT 1")[0]
        os.kill(pid, signal.SIGKILL)

    def tell(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    def kill(self) -> None:
        """kill -9 of the postmaster. Its children notice and end by themselves; until then it cannot be started."""
        postmaster = int((self.folder / "data/postmaster.pid").read_text().split()[0])
        orphans = children(postmaster)
        os.kill(postmaster, signal.SIGKILL)
        self.running.close()
        wait_until(lambda: not any(map(is_alive, orphans)), "the children of the postmaster have ended")

    def ask(self, query: str) -> Any:
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(query).fetchall()


def with_programs(env: dict[str, str]) -> dict[str, str]:
    """An environment in which pg_dump and pg_restore are those of the server that the tests found."""
    return env | {"PATH": f"{postgresql.find_programs()}:{env['PATH']}"}
