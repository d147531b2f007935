"""The servers that are measured: this service and another checkout of it, started as in production, or any URL."""

import http.client
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import postgresql
import psycopg

PROJECT = Path(__file__).parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
START = 300  # seconds: a busy machine is slow, and the first start also collects the static files


@dataclass(frozen=True)
class Server:
    """What is not known of a server that this script has not started is None."""

    name: str
    url: str  # of the API
    key: str = ""
    pid: int | None = None  # the first process of the service
    database_pid: int | None = None  # the first process of PostgreSQL
    checkout: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80

    def request(self, path: str, body: object = None, *, method: str = "POST") -> bytes:
        """As it is sent over the wire."""
        content = b"" if body is None else json.dumps(body).encode()
        lines = [
            f"{method} {urlsplit(self.url).path}{path} HTTP/1.1",
            f"Host: {self.address[0]}:{self.address[1]}",
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
        ]
        lines += [f"Authorization: Bearer {self.key}"] if self.key else []
        return "\r\n".join([*lines, "", ""]).encode() + content

    def post(self, path: str, body: object) -> Any:
        status, answer, _ = self.call("POST", path, body)
        if status != http.client.CREATED:
            sys.exit(f"{self.name} answered POST {path} with {status}: {answer}")
        return answer

    def get(self, path: str) -> tuple[Any, float]:
        """The answer, and how many seconds it asks to wait before the next call."""
        status, answer, headers = self.call("GET", path)
        if status != http.client.OK:
            sys.exit(f"{self.name} answered GET {path} with {status}: {answer}")
        return answer, float(headers.get("Retry-After", 0))

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        try:
            headers = {"Content-Type": "application/json"}
            headers |= {"Authorization": f"Bearer {self.key}"} if self.key else {}
            content = None if body is None else json.dumps(body)
            connection.request(method, urlsplit(self.url).path + path, content, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.headers
        finally:
            connection.close()

    def analyze(self) -> None:
        """Brings the statistics of its tables up to date, as autovacuum does within a minute in a running service."""
        if self.database_pid:
            with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
                connection.execute("ANALYZE")

    def manage(self, *arguments: str) -> str:
        """What the management command of this server's own checkout prints."""
        assert self.checkout
        return manage(self.checkout, self.environment, *arguments)


def venv_of(checkout: Path) -> Path:
    """The virtual environment of this script if it fits that checkout; if not, scripts/serve makes one there."""
    ours = Path(sys.prefix).absolute()
    check = [sys.executable, "scripts/support/environment.py", "check", str(ours), "requirements.txt"]
    return ours if subprocess.run(check, cwd=checkout, check=False).returncode == 0 else checkout / ".venv"


def manage(checkout: Path, environment: Mapping[str, str], *arguments: str) -> str:
    command = [f"{environment['VENV']}/bin/python", "manage.py", *arguments]
    answer = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    if answer.returncode:
        sys.exit(f"manage.py {arguments[0]} failed in {checkout}:\n{answer.stdout}{answer.stderr}")
    return answer.stdout


@contextmanager
def service(
    name: str,
    *,
    checkout: Path,
    database: str,
    database_pid: int | None,
    folder: Path,
    host: str = "127.0.0.1",
    enter: Sequence[str] = (),
    **settings: str,
) -> Iterator[Server]:
    """The service of that checkout, started by its scripts/serve. Keys are required, its log is JSON.

    `enter` is what the command begins with if it runs elsewhere, such as in another network."""
    port = postgresql.free_port()
    environment = os.environ | {
        "VENV": str(venv_of(checkout)),
        "DATABASE_URL": database,
        "DATA_DIR": str(folder / "data"),
        "API_KEYS": "required",
        "LOG_FORMAT": "json",
        "HOST": host,
        "PORT": str(port),
        **settings,
    }
    folder.mkdir()
    log = folder / "service.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [*enter, "scripts/serve"], cwd=checkout, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_until_ready((host, port), process, log)
        making = ("create_api_key", "--management", "--name", "bench")
        key = manage(checkout, environment, *making).split()[-1]
        url = f"http://{host}:{port}/api/v1"
        yield Server(name, url, key, process.pid, database_pid, checkout, environment)
    finally:
        process.terminate()
        process.wait()


def wait_until_ready(address: tuple[str, int], process: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up_at = time.monotonic() + START
    while process.poll() is None and time.monotonic() < give_up_at:
        connection = http.client.HTTPConnection(*address, timeout=5)
        try:
            connection.request("GET", "/health/ready")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    sys.exit(f"The service did not start:\n{log.read_text(errors='replace')}")


def family(pid: int) -> list[int]:
    """This process and all its descendants."""
    found = [pid]
    for parent in found:
        for thread in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, thread.read_text().split())
            except OSError:
                continue
    return found


def processor_seconds(pid: int) -> float:
    """What the family has used so far, including processes that have ended."""
    return sum(map(seconds_of_process, family(pid)))


def seconds_of_process(pid: int) -> float:
    """What this process has used, and its children that have ended; 0 if there is none any more."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS  # user and system, its own and of those children


def processor_seconds_of_commands() -> float:
    """What the commands have used that this script has run to their end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def memory_megabytes(pid: int) -> float:
    """Of the whole family."""
    return pss_megabytes(family(pid))


def pss_megabytes(pids: Iterable[int]) -> float:
    """PSS counts a page that several processes share once, in equal parts for each of them."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024
