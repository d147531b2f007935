"""Builds and runs the image with a Docker engine."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from image_engine import IMAGE, output, status


class Docker:
    """Untested where no engine is at hand: it makes the calls that compose.yaml describes."""

    name = "docker"
    gaps: list[str] = []

    @staticmethod
    def answers() -> bool:
        try:
            return subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=30).returncode == 0
        except (FileNotFoundError, subprocess.TimeoutExpired):
            return False

    def build(self) -> None:
        subprocess.run(["docker", "build", "--tag", IMAGE, "."], check=True)

    def inspect(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(output("docker", "image", "inspect", IMAGE))[0]
        return read

    def size(self) -> int:
        return int(self.inspect()["Size"])

    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = self.inspect()["Config"]
        return config

    @contextmanager
    def files(self, scratch: Path) -> Iterator[Path]:
        created = output("docker", "create", IMAGE)
        root = scratch / "files"
        root.mkdir()
        try:
            exported = subprocess.Popen(["docker", "export", created], stdout=subprocess.PIPE)
            subprocess.run(["tar", "-x", "--no-same-owner", "-C", root], stdin=exported.stdout, check=True)
            exported.wait()
            yield root
        finally:
            output("docker", "rm", created)

    def start(self, scratch: Path, port: int, settings: dict[str, str]) -> "DockerContainer":
        words = [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]
        words += ["--publish", f"127.0.0.1:{port}:8000", "--read-only", "--tmpfs", "/tmp:mode=1777,size=1g"]
        words += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges:true"]
        return DockerContainer(output("docker", "run", "--detach", *words, IMAGE))

    def clean_up(self) -> None:
        pass


class DockerContainer:
    def __init__(self, name: str) -> None:
        self.name = name

    def state(self, field: str) -> str:
        return output("docker", "inspect", "--format", f"{{{{.State.{field}}}}}", self.name)

    def lives(self) -> bool:
        return self.state("Running") == "true"

    def log(self) -> str:
        done = subprocess.run(["docker", "logs", self.name], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def status(self) -> dict[str, str]:
        return status(output("docker", "exec", self.name, "cat", "/proc/1/status"))

    def run(self, *command: str) -> int:
        return subprocess.run(["docker", "exec", self.name, *command], capture_output=True, check=False).returncode

    def stop(self, grace: int) -> tuple[float, int]:
        began = time.monotonic()
        output("docker", "stop", "--time", grace, self.name)
        return time.monotonic() - began, int(self.state("ExitCode"))

    def kill(self) -> None:
        subprocess.run(["docker", "rm", "--force", "--volumes", self.name], capture_output=True, check=False)
