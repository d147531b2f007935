"""What an engine and its containers do for scripts/image: image_docker.py and image_buildah.py are the two."""

import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

IMAGE = "crm-router:proof"


class Container(Protocol):
    def lives(self) -> bool: ...
    def log(self) -> str: ...
    def status(self) -> dict[str, str]:
        """/proc/PID/status of process 1."""

    def run(self, *command: str) -> int:
        """As its user, with its environment; the exit code."""

    def stop(self, grace: int) -> tuple[float, int]:
        """SIGTERM to process 1: seconds until it had ended, and its exit code. Killed after the grace."""

    def kill(self) -> None: ...


class Engine(Protocol):
    name: str
    gaps: list[str]

    def build(self) -> None: ...
    def size(self) -> int:
        """In bytes."""

    def config(self) -> dict[str, Any]:
        """Of the image, as Docker writes it: Labels, Env, Cmd, Healthcheck."""

    def files(self, scratch: Path) -> AbstractContextManager[Path]:
        """A context with the folder that holds the image's files."""

    def start(self, scratch: Path, port: int, settings: dict[str, str]) -> Container: ...
    def clean_up(self) -> None: ...


def output(*command: object) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command[0]} failed: {' '.join(map(str, command))}\n{done.stderr.strip()}")
    return done.stdout.strip()


def status(lines: str) -> dict[str, str]:
    """Of /proc/PID/status."""
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines.splitlines())}
