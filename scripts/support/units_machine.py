"""A Debian in a folder that systemd-nspawn boots, with a network of its own."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from programs import Program, find_or_install

RELEASE = "bookworm"
PACKAGES = "systemd,systemd-sysv,dbus,python3,python3-venv,ca-certificates,postgresql"
PATIENCE = 300  # seconds
POWER_OFF = signal.SIGRTMIN + 4  # what systemd takes it for, as process 1
PATHS = "/usr/sbin:/usr/bin:/sbin:/bin"


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    give_up_at = time.monotonic() + PATIENCE
    while time.monotonic() < give_up_at:
        if result := condition():
            return result
        time.sleep(0.5)
    sys.exit(f"The units do not work: waited {PATIENCE} s in vain for this: {what}.")


class Machine:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.outer: subprocess.Popen[bytes] | None = None

    def install(self) -> None:
        """Once; a folder that an interrupted run has left is not taken for a whole one."""
        for program, package in (("systemd-nspawn", "systemd-container"), ("debootstrap", "debootstrap")):
            if not find_or_install(Program(program, (program,), (package,))):
                sys.exit(f"There is no {program}. On Debian: apt-get install {package}")
        whole = self.root / "etc/crm-router-machine"
        if whole.exists():
            return
        print("Installing a Debian to boot (once, minutes) ...", flush=True)
        self.root.mkdir(parents=True, exist_ok=True)
        words = ["--variant=minbase", f"--include={PACKAGES}", RELEASE, str(self.root)]
        subprocess.run(["debootstrap", *words], check=True, stdout=subprocess.DEVNULL)
        # It has a network of its own: the port of this machine's PostgreSQL is free there.
        self.chroot("sed", "-i", "s/^port = .*/port = 5432/", "/etc/postgresql/15/main/postgresql.conf")
        whole.touch()

    def chroot(self, *command: str) -> None:
        """Before it is booted, with this machine's network and certificates."""
        shutil.copy("/etc/resolv.conf", self.root / "etc/resolv.conf")
        shutil.copy("/etc/ssl/certs/ca-certificates.crt", self.root / "etc/ssl/certs/ca-certificates.crt")
        done = subprocess.run(["chroot", self.root, *command], capture_output=True, text=True, check=False, env=clean())
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed in the container:\n{done.stderr.strip()}")

    def write(self, path: str, text: str, mode: int) -> None:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    @contextmanager
    def booted(self) -> Iterator[None]:
        words = ["--quiet", "--register=no", "--keep-unit", "--private-network", "--console=pipe", "--boot"]
        self.outer = subprocess.Popen(
            ["systemd-nspawn", *words, "--machine=crm-router-proof", f"--directory={self.root}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: self.succeeds("systemctl", "is-active", "multi-user.target"), "the container boots")
            yield
        finally:
            self.power_off()

    def power_off(self) -> None:
        assert self.outer is not None
        if first := self.first():
            os.kill(int(first), POWER_OFF)
        try:
            self.outer.wait(120)
        except subprocess.TimeoutExpired:
            self.outer.kill()
            self.outer.wait()

    def first(self) -> str:
        """Process 1 of the container, by its number outside; empty when it is not there."""
        assert self.outer is not None
        if self.outer.poll() is not None:
            sys.exit(f"The container could not be booted: systemd-nspawn ended with {self.outer.returncode}.")
        return Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").read_text().strip()

    def enter(self, *command: str) -> subprocess.CompletedProcess[str]:
        words = ["nsenter", f"--target={self.first() or 0}", "--all", *command]
        return subprocess.run(words, capture_output=True, text=True, check=False, env=clean())

    def inside(self, *command: str) -> str:
        done = self.enter(*command)
        if done.returncode:
            status = self.enter("journalctl", "--no-pager", "--lines=60").stdout
            sys.exit(f"{' '.join(command)} failed in the container:\n{done.stderr.strip()}\n{status}")
        return done.stdout.strip()

    def try_inside(self, *command: str) -> str:
        """Empty when it fails."""
        done = self.enter(*command)
        return "" if done.returncode else done.stdout.strip()

    def succeeds(self, *command: str) -> bool:
        return self.enter(*command).returncode == 0

    def journal(self, unit: str) -> str:
        return self.inside("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")

    def main_process(self, unit: str) -> str:
        return self.inside("systemctl", "show", "--property=MainPID", "--value", unit)


def clean() -> dict[str, str]:
    return {"PATH": PATHS, "LANG": "C.UTF-8"}
