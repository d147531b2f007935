"""What is measured: this service, started as in production, or another one that speaks the core contract."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TICKS = os.sysconf("SC_CLK_TCK")
START = 60  # seconds


@dataclass(frozen=True)
class Server:
    """`pid` and `database_pid` are the first of each family of processes, where they are ours to look at."""

    name: str
    url: str  # of the API
    key: str = ""
    pid: int | None = None
    database_pid: int | None = None

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "127.0.0.1", parts.port or 80

    def request(self, path: str, body: object) -> bytes:
        """As it goes over the wire."""
        content = json.dumps(body).encode()
        lines = [
            f"POST {urlsplit(self.url).path}{path} HTTP/1.1",
            f"Host: {self.address[0]}:{self.address[1]}",
            "Content-Type: application/json",
            f"Content-Length: {len(content)}",
        ]
        lines += [f"Authorization: Bearer {self.key}"] if self.key else []
        return "\r\n".join([*lines, "", ""]).encode() + content

    def post(self, path: str, body: object) -> Any:
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        try:
            headers = {"Content-Type": "application/json"}
            headers |= {"Authorization": f"Bearer {self.key}"} if self.key else {}
            connection.request("POST", urlsplit(self.url).path + path, json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != http.client.CREATED:
            sys.exit(f"{self.name} answered POST {path} with {answer.status}: {content.decode(errors='replace')}")
        return json.loads(content)


@contextmanager
def service(name: str, *, database: str, folder: Path, database_pid: int | None, port: int) -> Iterator[Server]:
    """This service on that database: keys required, log as JSON, processes and threads as it chooses itself."""
    environment = os.environ | {
        "DATABASE_URL": database,
        "DATA_DIR": str(folder / "data"),
        "DJANGO_SETTINGS_MODULE": "bench_settings",
        "PYTHONPATH": str(Path(__file__).parent),
        "API_KEYS": "required",
        "LOG_FORMAT": "json",
        "PORT": str(port),
    }
    manage = [sys.executable, "manage.py"]
    for command in (["migrate", "-v0"], ["collectstatic", "--noinput", "-v0"]):
        subprocess.run([*manage, *command], env=environment, check=True)
    making = [*manage, "create_api_key", "--management", "--name", "bench"]
    key = subprocess.run(making, env=environment, check=True, capture_output=True, text=True).stdout.split()[-1]
    with (folder / "service.log").open("w") as log:
        command = [sys.executable, "-m", "gunicorn"]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_until_ready(port, process, folder / "service.log")
        yield Server(name, f"http://127.0.0.1:{port}/api/v1", key, process.pid, database_pid)
    finally:
        process.terminate()
        process.wait()


def wait_until_ready(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up_at = time.monotonic() + START
    while process.poll() is None and time.monotonic() < give_up_at:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
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
    """This process and all below it."""
    found = [pid]
    for parent in found:
        for thread in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, thread.read_text().split())
            except OSError:
                continue
    return found


def processor_seconds(pid: int | None) -> float:
    """What the family has used so far, those included that have ended."""
    total = 0
    for member in family(pid) if pid else []:
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15]))  # user and system, own and of children that have ended
    return total / TICKS


def resident_megabytes(pid: int | None) -> list[float]:
    """Of each process below the first, shared pages included."""
    sizes = []
    for member in family(pid)[1:] if pid else []:
        try:
            status = Path(f"/proc/{member}/status").read_text()
        except OSError:
            continue
        sizes += [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS")]
    return sizes
