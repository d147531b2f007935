"""Programs beside Python that the tests and some commands need, and how they are installed on Debian.

    programs.py     installs those that the tests need, where that can be done without asking

Standard library only: it runs while Python's packages are being installed.
"""

import os
import shutil
import subprocess
from typing import NamedTuple


class Program(NamedTuple):
    title: str
    names: tuple[str, ...]  # any of them will do, the first is the best
    packages: tuple[str, ...]  # of Debian, all of them
    otherwise: tuple[str, ...] = ()  # where these packages are unknown


CHROMIUM = Program(
    "Chromium",
    # The shell takes half the processor time of a whole Chromium.
    ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    ("chromium-headless-shell",),
    ("chromium",),
)
NGINX = Program("nginx", ("nginx", "/usr/sbin/nginx"), ("nginx-light",))
JAVA = Program("Java", ("java",), ("default-jre-headless",))
SYSTEMD = Program("systemd-analyze", ("systemd-analyze",), ("systemd",))
SPIN = Program("Spin", ("spin",), ("spin",))
COMPILER = Program("gcc", ("gcc",), ("gcc", "libc6-dev"))  # Spin itself takes gcc as well
QUICK_COMPILER = Program("tcc", ("tcc",), ("tcc",))  # of what Spin generates, in a thirtieth of the time of gcc
FOR_TESTS = (CHROMIUM, NGINX, JAVA, SYSTEMD, SPIN, COMPILER, QUICK_COMPILER)


def find(program: Program) -> str | None:
    return next(filter(None, map(shutil.which, program.names)), None)


def install(*programs: Program) -> None:
    """Installs those that are missing, as root on Debian; elsewhere nothing happens."""
    missing = [program for program in programs if not find(program)]
    if not missing or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print(f"Installing {', '.join(program.title for program in missing)} ...", flush=True)
    run_apt("update")
    run_apt("install", *(package for program in missing for package in program.packages))
    for program in missing:  # one unknown package keeps all of them from being installed
        for packages in (program.packages, program.otherwise):
            if packages and not find(program):
                run_apt("install", *packages)


def run_apt(verb: str, *packages: str) -> None:
    options = ["-y", "--no-install-recommends"] if verb == "install" else []
    command = ["apt-get", verb, "-qq", *options, *packages]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    # apt is talkative even when told to be quiet; its errors are on stderr.
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)


def find_or_install(program: Program) -> str | None:
    install(program)
    return find(program)


def how_to_get(*programs: Program) -> str:
    names = [name for program in programs for name in program.names]
    return f"Install one of these, so that it is on the PATH: {', '.join(names)}."


def may_unshare(what: str) -> bool:
    try:
        return subprocess.run(["unshare", what, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    install(*FOR_TESTS)
