"""The service as its users run it: a process of its own, reached over HTTP."""

import http.client
import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from django.db import connection

PROJECT = Path(__file__).resolve().parents[2]
HELD_ON = "127.3.14.15"
FAULT = re.compile(r'^\S+ (?:ERROR|CRITICAL) |"level": "(?:error|critical)"|^Traceback ')
held_ports: list[socket.socket] = []
PATIENCE = 300  # seconds: as long as a busy machine may take; pytest.ini ends what hangs altogether


def faults_in(log: str) -> list[str]:
    """The lines that tell of an error, in either format, or begin a traceback."""
    return [line for line in log.splitlines() if FAULT.search(line)]


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """What the condition gives when it is true at last; another process tells us nothing by itself, so we ask it."""
    begun = time.monotonic()
    while (waited := time.monotonic() - begun) < PATIENCE:
        if result := condition():
            return result
        time.sleep(min(max(0.05, waited / 10), 0.5))  # who asks often takes the processor from whom it waits for
    raise AssertionError(f"Waited {PATIENCE} seconds in vain for this: {what}.")


def free_port() -> int:
    """Never the same twice, nor one that another process of the tests has got: a service binds it seconds later.

    Whoever gets it holds it on an address that nobody serves. Our services may be bound beside that, to any address.
    """
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        holder = socket.socket()
        try:
            holder.bind((HELD_ON, port))
        except OSError:
            holder.close()
            continue
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # after it was bound, so that it was exclusive
        held_ports.append(holder)
        return port


def this_database():
    """The address of the tests' database, for a process of its own."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    user = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
    if database["HOST"].startswith("/"):  # a socket
        return f"postgres://{user}@/{database['NAME']}?host={database['HOST']}"
    return f"postgres://{user}@{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"


def run(*command: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)


def read_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """What crm_router/settings.py makes of this environment and of nothing else. Raises SystemExit as a start ends."""
    with patch.dict(os.environ, environment, clear=True):
        return runpy.run_path(str(PROJECT / "crm_router/settings.py"))


def handed_over(
    value: str, folder: Path, environment: Mapping[str, str], *, script: Path = PROJECT / "scripts/serve"
) -> list[str]:
    """What this is in the shell of each Python that a start runs. None of them does anything else."""
    python = folder / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\necho "{value}"\n')
    python.chmod(0o755)
    ours = {"PATH": os.environ["PATH"], "VENV": str(folder / "venv")}
    started = run(str(script), env={**ours, **environment})
    assert started.returncode == 0, started.stderr
    return started.stdout.splitlines()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid: int) -> bool:
    """Whether the process still does anything. Whoever was killed and not yet buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def group_of(pid: int) -> int | None:
    """The process group of what is still alive."""
    try:
        state, _, group, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state == "Z" else int(group)


class Service:
    """One start of scripts/serve."""

    def __init__(self, env: dict[str, str], *arguments: str, log: Path) -> None:
        self.env, self.log = env, log
        self.address = ("127.0.0.1", int(env["PORT"]))
        with log.open("w") as output:
            self.process = subprocess.Popen(
                ["scripts/serve", *arguments],
                cwd=PROJECT,
                env=env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def output(self) -> str:
        return self.log.read_text()

    def wait_until_up(self) -> "Service":
        self.wait_until_it_answers("/health/ready", 200)
        return self

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str = "",
        idempotency_key: str = "",
        cache_control: str = "",
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(*self.address, timeout=PATIENCE)
        try:
            data = None if body is None else json.dumps(body)
            headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
            headers |= {"Idempotency-Key": idempotency_key} if idempotency_key else {}
            headers |= {"Cache-Control": cache_control} if cache_control else {}
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        is_json = "json" in (answer.getheader("Content-Type") or "")
        return answer.status, json.loads(content) if is_json else content.decode()

    def get(self, path: str) -> tuple[int, Any]:
        return self.call("GET", path)

    def post(self, path: str, body: object) -> Any:
        status, answer = self.call("POST", f"/api/v1{path}", body)
        assert status == 201, answer
        return answer

    def roster(self, *, operators: int, limit: int) -> int:
        """A new source with so many operators; gives back its id."""
        source: int = self.post("/sources", {"name": f"Bot {uuid4()}"})["id"]
        for number in range(operators):
            operator = self.post("/operators", {"name": f"Operator {number}", "max_load": limit})["id"]
            self.post(f"/sources/{source}/operators", {"operator_id": operator})
        return source

    def wait_until_it_answers(self, path: str, status: int) -> Any:
        """The body that comes with the status."""
        last: object = None

        def answered() -> Any:
            nonlocal last
            assert self.process.poll() is None, self.output()
            try:
                found, body = last = self.get(path)
            except OSError as error:
                last = error
                return None
            return body if found == status else None

        try:
            return wait_until(answered, f"{path} is answered with {status}")
        except AssertionError:
            print(f"Last: {last}", self.output()[-6000:], sep="\n")
            raise

    def workers(self) -> list[int]:
        """Process ids, oldest first, of all that were ever started."""
        return [int(pid) for pid in re.findall(r"Booting worker with pid: (\d+)", self.output())]

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def destroy(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(PATIENCE)

    def is_survived(self) -> bool:
        """Whether anything that the start has started is still running."""
        groups = (group_of(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return self.process.pid in groups

    def faults(self) -> list[str]:
        return faults_in(self.output())

    def findings(self) -> list[str]:
        """What `manage.py check_routing` finds, asked by this process: that one takes a second to start."""
        from tests.service import database  # loads models, which scripts/failover has no settings for

        return database.findings(self.env["DATABASE_URL"])

    def new_key(self, *, source: int | None = None) -> str:
        """The secret of a new key, for management unless a source is named."""
        from tests.service import database

        return database.new_key(self.env["DATABASE_URL"], source=source)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run(sys.executable, "manage.py", *arguments, env=self.env)
