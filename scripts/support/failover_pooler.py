"""PgBouncer in front of a primary, pooling transactions."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import postgresql
from failover_hosts import PORT, Host, wait_until

CONFIGURATION = """\
[databases]
postgres = host={host} port={database_port} user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 200
server_login_retry = 1
ignore_startup_parameters = extra_float_digits
"""


class Pooler:
    def __init__(self, folder: Path, primary: Host) -> None:
        program = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
        if program is None:
            sys.exit("There is no PgBouncer. On Debian and Ubuntu: apt-get install pgbouncer")
        folder.mkdir()
        self.folder, self.port = folder, postgresql.free_port()
        self.identity = postgresql.unprivileged(folder)
        self.command = [program, "-q", str(folder / "pgbouncer.ini")]
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        (folder / "pgbouncer.ini").write_text(
            CONFIGURATION.format(host=primary.address(), database_port=PORT, port=self.port)
        )
        self.start()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as output:
            self.process = subprocess.Popen(self.command, stdout=output, stderr=output, **self.identity)
        wait_until(self.listens, "PgBouncer listens")

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def pooler(folder: Path, primary: Host) -> Iterator[Pooler]:
    running = Pooler(folder / "pgbouncer", primary)
    try:
        yield running
    finally:
        running.kill()
