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
import programs
from programs import Program

INTERRUPTED, NOTHING_COLLECTED = 2, 5  # pytest's exit codes


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    selection, others = read(arguments)
    programs.install(*programs.FOR_TESTS)
    found = {program: programs.find(program) for program in programs.FOR_TESTS}
    refuse_to_do_without(found)
    needed: dict[str, object] = {
        "browser": found[programs.CHROMIUM],
        "nginx": found[programs.NGINX],
        "java": found[programs.JAVA],
        "systemd": found[programs.SYSTEMD],
        "spin": found[programs.SPIN] and found[programs.COMPILER],
        "node": shutil.which("node") and shutil.which("npm"),
        "promtool": shutil.which("promtool"),
        "mount": programs.may_unshare("--mount"),
        "network": programs.may_unshare("--net") and shutil.which("ip"),
    }
    paths = {"CHROMIUM": found[programs.CHROMIUM], "NGINX_PROGRAM": found[programs.NGINX]}
    with scratch_folder() as folder, postgresql.server() as url, undisturbed_end():
        environment = surroundings(Path(folder), **paths)
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


def refuse_to_do_without(found: dict[Program, str | None]) -> None:
    """In CI no test is left out because a program is missing; without tcc they only take longer."""
    missing = [program for program, path in found.items() if not path and program != programs.QUICK_COMPILER]
    if missing and os.environ.get("CI") == "true":
        titles = ", ".join(program.title for program in missing)
        sys.exit(f"CI does not do without these programs, which are missing: {titles}. {programs.how_to_get(*missing)}")


def surroundings(folder: Path, **paths: str | None) -> dict[str, str]:
    """The environment of a run, in which no test can reach the data of the person who runs it."""
    environment = os.environ | {"DATA_DIR": str(folder / "data"), "STATIC_ROOT": str(folder / "static")}
    environment |= {name: path for name, path in paths.items() if path}
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
