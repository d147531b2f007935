"""The machine of a soak: processes that are started again as systemd does it, a PostgreSQL on a small disk of its own,
and a clock that can be set."""

import mmap
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_service
import postgresql
import psycopg

ROOM = "16g"  # of the disk; memory is taken only for what is stored
LEFT = 128 * 1024  # bytes that are free on a full disk, in part of a page
PATIENCE = 300  # seconds
DATABASE_PAUSE, WORKER_PAUSE = 2.0, 1.0  # seconds until the next start, during which calls are made as well
SETTINGS = {"log_line_prefix": "%m [%p] %e ", "log_lock_waits": "on"}
CLOCK = Path(__file__).with_name("stepped_clock.c")


class Kept:
    """A process that is started again, after a pause of so many seconds, whenever it has ended."""

    def __init__(self, launch: Callable[[], "subprocess.Popen[bytes]"], *, pause: float, stop: signal.Signals) -> None:
        self.launch, self.pause, self.stop_signal = launch, pause, stop
        self.ending, self.lock, self.starts = threading.Event(), threading.Lock(), 1
        self.process = launch()
        self.keeper = threading.Thread(target=self.keep)
        self.keeper.start()

    def keep(self) -> None:
        while True:
            self.process.wait()
            if self.ending.wait(self.pause):
                return
            with self.lock:
                if self.ending.is_set():
                    return
                self.process = self.launch()
                self.starts += 1

    def kill(self, how: signal.Signals) -> None:
        os.kill(self.process.pid, how)

    def stop(self) -> None:
        with self.lock:
            self.ending.set()
            self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.keeper.join()


class Database:
    """A PostgreSQL that writes each commit before it answers, with its data on a file system that can be full.

    That is a tmpfs: what was written survives every kill of a process here, and the disk of the machine has nothing to
    do with it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, self.data = folder, postgresql.free_port(), folder / "data"
        self.identity = postgresql.unprivileged(folder)
        self.programs = postgresql.reachable(postgresql.find_programs(), folder, self.identity)
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.log = folder / "log"
        self.data.mkdir()
        owner = f"uid={self.identity.get('user', os.geteuid())},gid={self.identity.get('group', os.getegid())}"
        mount("-t", "tmpfs", "-o", f"size={ROOM},mode=0700,{owner}", "crm-router-soak", str(self.data))
        postgresql.initialise(self.programs, self.data, self.identity)
        self.kept = Kept(self.launch, pause=DATABASE_PAUSE, stop=signal.SIGINT)
        self.wait_until_it_answers()
        if self.ask("SHOW fsync") != [("on",)] or self.ask("SHOW synchronous_commit") != [("on",)]:
            sys.exit("The database does not write its commits to the disk.")

    def launch(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as output:
            return postgresql.launch(
                self.programs, self.folder, self.identity, port=self.port, synced=True, output=output, **SETTINGS
            )

    def end(self) -> None:
        self.kept.stop()
        subprocess.run(["umount", "--lazy", self.data], check=True)

    def kill(self, how: signal.Signals) -> None:
        """SIGINT is an orderly restart, SIGQUIT `pg_ctl stop -m immediate`. Returns when it answers again."""
        starts = self.kept.starts
        self.kept.kill(how)
        wait_until(lambda: self.kept.starts > starts, "PostgreSQL is started again")
        self.wait_until_it_answers()

    def fill_disk(self) -> None:
        """As a file would do that takes all that is left: what is used already can be written again."""
        while True:  # it is written to meanwhile
            disk = os.statvfs(self.data)
            used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
            try:
                return mount("-o", f"remount,size={used + LEFT}", str(self.data))
            except subprocess.CalledProcessError:
                continue

    def free_disk(self) -> None:
        mount("-o", f"remount,size={ROOM}", str(self.data))
        self.wait_until_it_answers()

    def wait_until_it_answers(self) -> None:
        wait_until(self.answers, "PostgreSQL answers")

    def answers(self) -> bool:
        try:
            self.ask("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def ask(self, query: str) -> Any:
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
            return connection.execute(query.encode()).fetchall()

    def tell(self, *statements: str) -> None:
        """In one transaction. Raises psycopg.Error."""
        with psycopg.connect(self.url) as connection:
            for statement in statements:
                connection.execute(statement.encode())


class Clock:
    """The time of day of the service and its workers. PostgreSQL keeps that of the machine, as on a host of its own."""

    def __init__(self, folder: Path) -> None:
        library, offset = folder / "stepped_clock.so", folder / "clock"
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, CLOCK, "-ldl"], check=True)
        offset.write_bytes(struct.pack("=q", 0))
        with offset.open("r+b") as file:
            self.shared = mmap.mmap(file.fileno(), 8)
        self.environment = {"LD_PRELOAD": str(library), "STEPPED_CLOCK": str(offset)}

    @property
    def ahead(self) -> int:
        """Seconds; below 0 it is behind."""
        (seconds,) = struct.unpack("=q", self.shared[:])
        return int(seconds)

    def step(self, seconds: int) -> None:
        self.shared[:] = struct.pack("=q", seconds)

    def now(self) -> float:
        return time.time() + self.ahead


def deliverer(service: bench_service.Server, log: Path) -> Kept:
    """A worker as `crm-router-deliver.service` runs it."""

    def launch() -> "subprocess.Popen[bytes]":
        command = [f"{service.environment['VENV']}/bin/python", "manage.py", "deliver", "--loop"]
        with log.open("ab") as output:
            return subprocess.Popen(
                command, cwd=service.checkout, env=service.environment, stdout=output, stderr=subprocess.STDOUT
            )

    return Kept(launch, pause=WORKER_PAUSE, stop=signal.SIGTERM)


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True, capture_output=True)


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > give_up_at:
            sys.exit(f"In {PATIENCE} seconds it did not happen that {what}.")
        time.sleep(0.1)
