"""Starts the units of deploy/systemd in a booted Debian, and proves that they work. scripts/units says how."""

import argparse
import os
import re
import shutil
import sys
import time
from functools import partial
from pathlib import Path

from units_machine import Machine, wait_until

INSTANCES = ("crm-router@8001.service", "crm-router@8002.service")
SERVICES = (*INSTANCES, "crm-router-deliver.service")
RELEASE = "/opt/crm-router/releases/proof"
CURRENT = "/opt/crm-router/current"
PROJECT = Path(__file__).parents[2]
ASK = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=5).read().decode())"
SETTINGS = """\
DATABASE_URL=postgres:///crm-router?host=/var/run/postgresql
DATA_DIR=/var/lib/crm-router
STATIC_ROOT=/var/lib/crm-router/public/static
ALLOWED_HOSTS=crm.example.com,127.0.0.1
CSRF_TRUSTED_ORIGINS=https://crm.example.com
HTTPS=true
TRUSTED_PROXIES=127.0.0.1
"""
# Says in the journal that it was called, and by whom.
HOOK = '#!/bin/sh\necho "$1 $(id -un)"\n'


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/units", description="Starts the units in a booted Debian.")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/crm-router-units"))
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("scripts/units boots a container, which takes root.")
    os.chdir(PROJECT)
    machine = Machine(options.folder / "machine")
    machine.install()
    install_service(machine)
    with machine.booted():
        show("booted", machine.inside("systemctl", "--version").splitlines()[0])
        make_database(machine)
        prove_services(machine)
        ready_at = time.time()
        prove_one_shots(machine)
        prove_restart(machine)
        prove_journal(machine, ready_at)
        prove_hook(machine)
        prove_stop(machine)


def install_service(machine: Machine) -> None:
    """As "Install with systemd" does, before the machine is booted."""
    release = machine.root / RELEASE.lstrip("/")
    copied = ("access", "accounts", "core", "crm_router", "deploy", "leads", "notifications", "operators", "routing")
    for name in (*copied, "scripts"):  # the environment of an earlier run stays, and is brought up to date
        shutil.rmtree(release / name, ignore_errors=True)
        shutil.copytree(PROJECT / name, release / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("manage.py", "requirements.txt", "pyproject.toml"):
        shutil.copy(PROJECT / name, release)
    current = machine.root / CURRENT.lstrip("/")
    current.unlink(missing_ok=True)
    current.symlink_to(RELEASE)
    machine.chroot(
        "sh", "-c", "id crm-router 2>/dev/null || useradd --system --home-dir /var/lib/crm-router crm-router"
    )
    machine.chroot("install", "-d", "-o", "crm-router", "-g", "crm-router", "-m", "0755", "/var/lib/crm-router")
    machine.chroot("install", "-d", "-o", "crm-router", "-m", "0711", "/var/backups/crm-router")
    machine.chroot("chmod", "-R", "a+rX", RELEASE)
    machine.chroot(
        "python3",
        f"{RELEASE}/scripts/support/environment.py",
        "make",
        f"{RELEASE}/.venv",
        f"{RELEASE}/requirements.txt",
    )
    machine.write("/etc/crm-router/environment", SETTINGS, 0o600)
    machine.write("/etc/crm-router/on-failure", HOOK, 0o755)
    for unit in (PROJECT / "deploy/systemd").iterdir():
        machine.write(f"/etc/systemd/system/{unit.name}", unit.read_text(), 0o644)


def make_database(machine: Machine) -> None:
    wait_until(lambda: machine.succeeds("systemctl", "is-active", "postgresql@15-main"), "PostgreSQL runs")
    machine.inside("runuser", "-u", "postgres", "--", "dropdb", "--if-exists", "crm-router")
    machine.inside("runuser", "-u", "postgres", "--", "dropuser", "--if-exists", "crm-router")
    machine.inside("runuser", "-u", "postgres", "--", "createuser", "crm-router")
    words = ["--owner", "crm-router", "--encoding", "UTF8", "--locale", "C.UTF-8", "--template", "template0"]
    machine.inside("runuser", "-u", "postgres", "--", "createdb", *words, "crm-router")


def prove_services(machine: Machine) -> None:
    machine.inside("systemctl", "start", *SERVICES)
    for port in (8001, 8002):
        url = f"http://127.0.0.1:{port}/health/ready"
        answer = wait_until(partial(machine.try_inside, "python3", "-c", ASK, url), f"{url} answers")
        require('"status": "ok"' in answer or '"status":"ok"' in answer, f"{url} says {answer}")
    for unit in SERVICES:
        used = machine.inside("systemctl", "show", "--property=MemoryCurrent", "--value", unit)
        bounded = "its memory is bounded" if used.isdigit() else "its memory is not bounded on this machine"
        show(unit, f"active, {security(machine, unit)}, {bounded}")


def security(machine: Machine, unit: str) -> str:
    lines = machine.inside("systemd-analyze", "security", "--no-pager", unit).splitlines()
    [level] = re.findall(r"Overall exposure level for \S+: ([\d.]+) (\w+)", lines[-1])
    return f"exposure {level[0]} ({level[1]})"


def prove_one_shots(machine: Machine) -> None:
    """Each ends well, by the exit code of systemctl start. A backup is there afterwards."""
    for file in sorted((PROJECT / "deploy/systemd").glob("*.timer")):
        machine.inside("systemctl", "start", file.name)
        unit = file.with_suffix(".service").name
        machine.inside("systemctl", "start", unit)
        show(unit, f"ended well, {security(machine, unit)}; its timer is active")
        require(machine.succeeds("systemctl", "is-active", file.name), f"{file.name} is not active")
    require(machine.succeeds("sh", "-c", "ls /var/backups/crm-router/*.dump"), "there is no backup")


def prove_journal(machine: Machine, since: float) -> None:
    """Before that, what sends finds no tables yet, says so and tries again: an instance makes them meanwhile."""
    log = machine.inside("journalctl", "--no-pager", "--unit=crm-router*", f"--since=@{since:.0f}")
    require('  File "' not in log, f"a traceback in the journal:\n{log[-6000:]}")  # the log has no line "Traceback"
    show("journal", f"no traceback in {len(log.splitlines())} lines since all were ready")


def prove_hook(machine: Machine) -> None:
    """A one-shot that fails tells so by the program of the guide, as the user of the service."""
    machine.inside("systemctl", "stop", "postgresql@15-main", "crm-router-worker.timer")
    require(
        not machine.succeeds("systemctl", "start", "crm-router-worker.service"), "the worker works without database"
    )
    expected = "crm-router-worker.service crm-router"
    hook = "crm-router-failed@crm-router-worker.service.service"
    wait_until(lambda: expected in machine.journal(hook).splitlines(), f"{hook} tells")
    show("crm-router-failed@.service", "is told that the worker has failed, and runs as crm-router")
    machine.inside("systemctl", "start", "postgresql@15-main")


def prove_restart(machine: Machine) -> None:
    unit = INSTANCES[0]
    before = machine.main_process(unit)
    machine.inside("systemctl", "kill", "--signal=KILL", "--kill-who=main", unit)
    wait_until(lambda: machine.main_process(unit) not in (before, "0"), f"{unit} is started again")
    url = "http://127.0.0.1:8001/health/ready"
    wait_until(lambda: machine.try_inside("python3", "-c", ASK, url), f"{url} answers again")
    show("killed", f"{unit} is back by itself and ready")


def prove_stop(machine: Machine) -> None:
    machine.inside("systemctl", "stop", *SERVICES)
    for unit in SERVICES:
        result = machine.inside("systemctl", "show", "--property=Result,ExecMainStatus", unit).split()
        require(sorted(result) == ["ExecMainStatus=0", "Result=success"], f"{unit} did not stop in order: {result}")
    show("stopped", "all with exit code 0")


def require(condition: bool, otherwise: str) -> None:
    if not condition:
        sys.exit(f"The units do not work: {otherwise}")


def show(what: str, found: str) -> None:
    print(f"{what + ':':<28} {found}", flush=True)


if __name__ == "__main__":
    main()
