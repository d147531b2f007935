"""Runs the tests on SQLite and on PostgreSQL, with everything that they need around them."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import postgresql

INTERRUPTED, NOTHING_COLLECTED = 2, 5  # pytest's exit codes
NGINX = ("nginx", "/usr/sbin/nginx")
JAVA = ("java",)
SYSTEMD = ("systemd-analyze",)
SPIN, COMPILER = ("spin",), ("gcc",)  # Spin itself takes gcc as well
QUICK = ("tcc", "gcc")  # tcc compiles what Spin generates in a thirtieth of the time
SHELL = "chromium-headless-shell"  # half the processor time of a whole Chromium
CHROMIUM = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    selection, others = read(arguments)
    chromium = find(CHROMIUM) or install("Chromium", CHROMIUM, SHELL) or install("Chromium", CHROMIUM, "chromium")
    nginx = find(NGINX) or install("nginx", NGINX, "nginx-light")
    java = find(JAVA) or install("Java", JAVA, "default-jre-headless")
    systemd = find(SYSTEMD) or install("systemd-analyze", SYSTEMD, "systemd")
    needed = {"browser": chromium, "nginx": nginx, "java": java, "spin": find_spin(), "mount": may_unshare("--mount")}
    needed |= {"network": may_unshare("--net") and shutil.which("ip")}
    needed |= {"node": shutil.which("node") and shutil.which("npm")}
    needed |= {"systemd": systemd, "promtool": shutil.which("promtool")}
    with scratch_folder() as folder, postgresql.server() as url, undisturbed_end():
        environment = surroundings(Path(folder), CHROMIUM=chromium, NGINX_PROGRAM=nginx)
        missing = [f"not {mark}" for mark, is_there in needed.items() if not is_there]
        runs = {
            "SQLite": (f"sqlite:///{folder}/db.sqlite3", ["not postgresql", *missing]),
            "PostgreSQL": (url, ["not browser", "not once", *missing]),  # a browser sees no difference
        }
        commands = {
            name: [*command(Path(folder)), "-m", " and ".join(selection + marks), *others]
            for name, (_, marks) in runs.items()
        }
        environments = {name: environment | {"DATABASE_URL": url} for name, (url, _) in runs.items()}
        outcomes = run_beside_each_other(commands, environments)
    return report(outcomes, [mark for mark, is_there in needed.items() if not is_there])


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="crm-router-tests-", ignore_cleanup_errors=True)


@contextmanager
def undisturbed_end() -> Iterator[None]:
    """Whoever interrupts a second time, out of impatience, must not leave a database running."""
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


def read(arguments: list[str]) -> tuple[list[str], list[str]]:
    """pytest's arguments, its -m apart: pytest would let the last -m win over ours."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-m", dest="marks", action="append", default=[])
    known, others = parser.parse_known_args(arguments)
    return [f"({marks})" for marks in known.marks], others


def find(names: tuple[str, ...]) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)


def install(title: str, names: tuple[str, ...], *packages: str) -> str | None:
    """Installs it where that can be done without asking; else says what to do."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {title} for the tests ...", flush=True)
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        get = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
        for command in (["apt-get", "update", "-qq"], get):
            # apt is talkative even when told to be quiet; its errors are on stderr.
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    program = find(names)
    if program is None and os.environ.get("CI") == "true":
        sys.exit(f"There is no {title} for the tests, and CI does not do without. {how_to_get(names)}")
    return program


def find_spin() -> str | None:
    """The model checker, where there is the compiler that it takes; else None. Without tcc the tests take longer."""
    spin = find(SPIN) or install("Spin", SPIN, "spin")
    compiler = find(COMPILER) or install("gcc", COMPILER, "gcc", "libc6-dev")
    if not find(QUICK[:1]):
        install("tcc", QUICK, "tcc")
    return spin if compiler else None


def may_unshare(what: str) -> bool:
    try:
        return subprocess.run(["unshare", what, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def how_to_get(names: tuple[str, ...]) -> str:
    return f"Install one of these, so that it is on the PATH: {', '.join(names)}."


def surroundings(folder: Path, **programs: str | None) -> dict[str, str]:
    """The environment of a run, in which no test can reach the data of the person who runs it."""
    environment = os.environ | {"DATA_DIR": str(folder / "data"), "STATIC_ROOT": str(folder / "static")}
    environment |= {name: path for name, path in programs.items() if path}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes would compile all code again
    if not os.access(".", os.W_OK):
        environment["HYPOTHESIS_STORAGE_DIRECTORY"] = str(folder / "hypothesis")
    return environment


def command(folder: Path) -> list[str]:
    """pytest, without what it is to run."""
    found = [sys.executable, "-m", "pytest"]
    workers = min(4, os.cpu_count() or 1)
    if workers > 1:
        found += ["-n", str(workers), "--dist", "worksteal"]
    if not os.access(".", os.W_OK):
        found += ["-o", f"cache_dir={folder}/cache"]
    return found


def run_beside_each_other(commands: dict[str, list[str]], environments: dict[str, dict[str, str]]) -> dict[str, int]:
    """The exit code of each. Tests of services mostly wait, so one run computes meanwhile what the other leaves over.

    The first prints as it goes; what the others print follows.
    """
    with ExitStack() as files:
        outputs = {name: files.enter_context(tempfile.TemporaryFile()) for name in list(commands)[1:]}
        print(f"\n=== Tests on {next(iter(commands))}; beside them on {', '.join(outputs)} ===", flush=True)
        processes = {
            name: subprocess.Popen(
                commands[name], env=environments[name], stdout=outputs.get(name), stderr=outputs.get(name)
            )
            for name in commands
        }
        outcomes = wait_for(processes)
        for name, output in outputs.items():
            print(f"\n=== Tests on {name} ===", flush=True)
            output.seek(0)
            sys.stdout.buffer.write(output.read())
            sys.stdout.flush()
    return outcomes


def wait_for(processes: dict[str, subprocess.Popen[bytes]]) -> dict[str, int]:
    try:
        return {name: process.wait() for name, process in processes.items()}
    except KeyboardInterrupt:  # Ctrl-C reached each pytest as well, which is tidying up
        return {name: process.wait() and INTERRUPTED for name, process in processes.items()}
    except SystemExit:
        for process in processes.values():
            process.send_signal(signal.SIGINT)  # unlike SIGTERM it lets tests end what they have started
        for process in processes.values():
            process.wait()
        raise


def report(outcomes: dict[str, int], missing: list[str]) -> int:
    print()
    for mark in missing:
        print(f"!!! TESTS MARKED {mark.upper()} DID NOT RUN: what they need is not here (pytest.ini says what).")
    if set(outcomes.values()) == {NOTHING_COLLECTED}:
        print("No test was selected, on either database.")
        return NOTHING_COLLECTED
    words = {0: "passed", INTERRUPTED: "interrupted", NOTHING_COLLECTED: "nothing selected"}
    for name, outcome in outcomes.items():
        # Below zero it is the signal that somebody killed pytest with, which then could not say anything itself.
        print(f"{name}: {words.get(outcome, f'FAILED (exit code {outcome})')}.")
    return next((outcome for outcome in outcomes.values() if outcome not in (0, NOTHING_COLLECTED)), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
