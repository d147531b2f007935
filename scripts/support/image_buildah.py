"""Builds the image with buildah, and runs it with the kernel's own namespaces, where no Docker engine is."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from image_engine import IMAGE, output, status
from programs import Program, find, install

BASE = "docker.io/library/python:3.12-slim-bookworm"
RELEASE = "bookworm"
BASE_PACKAGES = "python3,python3-venv,ca-certificates"
PATHS = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin"
UNPRIVILEGED = ["setpriv", "--reuid=10001", "--regid=10001", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]

# $1 is the root file system, $2 the folder for /data. The rest is the command, which becomes process 1.
ENTER = """
set -eu
mount --make-rprivate /
mount --bind "$1" "$1"
mount --bind "$2" "$1/data"
mount -t tmpfs -o mode=1777,size=1g tmpfs "$1/tmp"
mount -t proc proc "$1/proc"
mount -t tmpfs -o mode=755,size=64k tmpfs "$1/dev"
for device in null zero random urandom; do
    touch "$1/dev/$device"
    mount --bind "/dev/$device" "$1/dev/$device"
done
ln -s /proc/self/fd "$1/dev/fd"
mkdir -m 1777 "$1/dev/shm"
mount -o remount,bind,ro "$1"
root="$1"
shift 2
exec chroot "$root" "$@"
"""


class Buildah:
    """Builds with --isolation chroot, and runs in mount and process namespaces of its own: no daemon and no cgroups."""

    name = "buildah --isolation chroot"

    def __init__(self, folder: Path, *, pull: bool) -> None:
        if os.geteuid() != 0:
            sys.exit("No Docker engine answers, and buildah needs root here.")
        if not install_missing():
            sys.exit("No Docker engine answers, and there is no buildah: apt-get install buildah debootstrap")
        self.pull = pull
        places = ["--root", str(folder / "storage"), "--runroot", str(folder / "run")]
        self.tool = ["buildah", *places, "--storage-driver", "overlay"]
        self.working: list[str] = []
        self.gaps = ["limits of memory and processes, a network of its own, and Docker's filter of system calls"]

    def build(self) -> None:
        if not self.pull:
            if not output(*self.tool, "images", "--quiet", "--filter", f"reference={BASE}"):
                self.build_base()
            self.gaps.append(f"the official base image: Debian {RELEASE} with its own Python stands for {BASE}")
        # The certificates of this machine, which may have a registry of packages that stands for the public one.
        words = ["--isolation", "chroot", "--network", "host", "--volume", "/etc/ssl/certs:/etc/ssl/certs:ro"]
        words += ["--pull" if self.pull else "--pull-never", "--format", "docker", "--tag", IMAGE, "."]
        subprocess.run([*self.tool, "bud", *words], check=True)

    def build_base(self) -> None:
        print(f"Making a base image from Debian's packages, in the place of {BASE} (once, minutes) ...", flush=True)
        working = self.begin("scratch")
        root = Path(output(*self.tool, "mount", working))
        subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={BASE_PACKAGES}", RELEASE, root],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        (root / "usr/bin/python").symlink_to("python3")
        for packages in root.glob("var/cache/apt/archives/*.deb"):
            packages.unlink()
        output(*self.tool, "config", "--env", f"PATH={PATHS}", working)
        output(*self.tool, "commit", working, BASE)

    def begin(self, image: str) -> str:
        self.working.append(output(*self.tool, "from", "--pull-never", image))
        return self.working[-1]

    def inspect(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(output(*self.tool, "inspect", "--type", "image", IMAGE))
        return read

    def size(self) -> int:
        [image] = json.loads(output(*self.tool, "images", "--json", IMAGE))
        number, unit = image["size"].split()
        return int(float(number) * {"KB": 1e3, "MB": 1e6, "GB": 1e9}[unit])

    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = self.inspect()["Docker"]["config"]
        return config

    @contextmanager
    def files(self, scratch: Path) -> Iterator[Path]:
        yield Path(output(*self.tool, "mount", self.begin(IMAGE)))

    def start(self, scratch: Path, port: int, settings: dict[str, str]) -> "Process":
        config = self.config()
        root = output(*self.tool, "mount", self.begin(IMAGE))
        data = scratch / "data"
        data.mkdir(mode=0o750)
        os.chown(data, 10001, 10001)
        # It shares this machine's network: only this machine may come, as by the port that compose.yaml publishes.
        given = config["Env"] + [f"{name}={value}" for name, value in settings.items()]
        inside = ["env", "-i", "-C", config["WorkingDir"], *given, "HOST=127.0.0.1", f"PORT={port}"]
        return Process(root, data, inside, config["Cmd"], scratch / "log")

    def clean_up(self) -> None:
        for working in self.working:
            output(*self.tool, "rm", working)
        output(*self.tool, "rmi", "--prune", "--force")  # what a new build has taken the name from


def install_missing() -> bool:
    needed = [Program(name, (name,), (name,)) for name in ("buildah", "debootstrap")]
    install(*needed)
    return all(map(find, needed))


class Process:
    """Process 1 of namespaces of its own, in the files of the image, read-only but for /data and /tmp."""

    def __init__(self, root: str, data: Path, inside: list[str], command: list[str], log: Path) -> None:
        self.inside = [*UNPRIVILEGED, "--no-new-privs", *inside]
        self.written = log
        namespaces = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
        with log.open("w") as both:
            self.outer = subprocess.Popen(
                [*namespaces, "sh", "-c", ENTER, "sh", root, data, *self.inside, *command], stdout=both, stderr=both
            )

    @property
    def first(self) -> int:
        """Process 1, by its number outside."""
        return int(Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children").read_text())

    def lives(self) -> bool:
        return self.outer.poll() is None

    def log(self) -> str:
        return self.written.read_text()

    def status(self) -> dict[str, str]:
        return status(Path(f"/proc/{self.first}/status").read_text())

    def run(self, *command: str) -> int:
        enter = ["nsenter", f"--target={self.first}", "--mount", "--pid", "--ipc", "--uts", "--root"]
        return subprocess.run([*enter, *self.inside, *command], capture_output=True, check=False).returncode

    def stop(self, grace: int) -> tuple[float, int]:
        began = time.monotonic()
        os.kill(self.first, signal.SIGTERM)
        try:
            code = self.outer.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
            code = -signal.SIGKILL
        return time.monotonic() - began, code

    def kill(self) -> None:
        self.outer.kill()  # process 1 with it, by --kill-child
        self.outer.wait()
