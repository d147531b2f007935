"""Checks the model of the protocol (docs/model) with Spin, and prints a table of what was found."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from model_scenarios import DEADLOCK, LARGE, SMALL, Scenario
from programs import COMPILER, QUICK_COMPILER, SPIN, find, how_to_get, install

MODELS = Path(__file__).parents[2] / "docs/model"
DEPTH = 1_000_000  # steps: a search that would go deeper is truncated, and counts as failed
MEGABYTES = 8_000

TRUNCATED = ("max search depth too small", "out of memory", "-DMEMLIM bound")
HEAD = "| model | scenario | without | states | seconds | verdict |\n|---|---|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Check:
    """One search: a scenario as it is, or with a guard removed, when Spin must find the error that is `expected`."""

    scenario: Scenario
    guard: str | None = None
    expected: str | None = None


class Result(NamedTuple):
    check: Check
    verdict: str
    is_right: bool
    states: int = 0
    seconds: float = 0.0  # of the processor, for the search without compiling

    def __str__(self) -> str:
        scenario, guard = self.check.scenario, self.check.guard
        without = f"`{guard.removeprefix('WITHOUT_')}`" if guard else ""
        figures = f"{self.states:,} | {self.seconds:.1f}"
        return f"| {scenario.model} | {scenario.title} | {without} | {figures} | {self.verdict} |"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="the large configurations instead of the small ones")
    parser.add_argument("models", nargs="*", help="for example routing; all if none is named")
    asked = parser.parse_args(arguments)
    install(SPIN, COMPILER, QUICK_COMPILER)
    if not (find(SPIN) and find(COMPILER)):
        sys.exit(f"It takes Spin and gcc. {how_to_get(SPIN, COMPILER)}")
    scenarios = [one for one in (LARGE if asked.large else SMALL) if not asked.models or one.model in asked.models]
    if not scenarios:
        sys.exit(f"There is no model called {' or '.join(asked.models)} with such configurations.")
    print(HEAD, flush=True)
    wrong = 0
    for result in run_checks(checks_of(scenarios), optimised=asked.large):
        print(result, flush=True)
        wrong += not result.is_right
    print(f"\n{wrong} of these are not as they must be." if wrong else "\nEverything holds, and every control fails.")
    return 1 if wrong else 0


def checks_of(scenarios: Iterable[Scenario]) -> Iterator[Check]:
    """Each scenario, and each of its controls."""
    for scenario in scenarios:
        yield Check(scenario)
        for guard, expected in scenario.controls.items():
            yield Check(scenario, guard, expected)


def run_checks(checks: Iterable[Check], *, optimised: bool = False) -> Iterator[Result]:
    """The results in the order of the checks. As many run at the same time as there are processors."""
    with ThreadPoolExecutor(1 if optimised else os.cpu_count()) as pool:
        yield from pool.map(lambda check: run_check(check, optimised=optimised), checks)


def run_check(check: Check, *, optimised: bool = False) -> Result:
    """Generates the verifier, compiles it and runs it, in a folder of its own.

    `optimised` compiles with gcc and for long, which pays for searches of millions of states.
    """
    with tempfile.TemporaryDirectory(prefix="crm-router-model-") as folder:
        (Path(folder) / "run.pml").write_text(source_of(check))
        compiler = (None if optimised else find(QUICK_COMPILER)) or "gcc"
        options = ["-O2" if optimised else "-O0", "-w", "-DSAFETY", f"-DMEMLIM={MEGABYTES}"]
        for command in (["spin", "-a", "run.pml"], [compiler, *options, "-o", "pan", "pan.c"]):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if done.returncode:
                return Result(check, f"NOT CHECKED: {command[0]}: {first_line(done.stdout + done.stderr)}", False)
        search = ["./pan", f"-m{DEPTH}", "-w26" if optimised else "-w20"]
        with open(Path(folder) / "found", "w+") as output:
            process = subprocess.Popen(search, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            return read_result(check, output.read(), used.ru_utime + used.ru_stime)


def source_of(check: Check) -> str:
    names = [*check.scenario.defines, *([check.guard] if check.guard else [])]
    defines = [f"#define {name.replace('=', ' ', 1)}\n" for name in names]
    return "".join(defines) + f'#include "{MODELS / check.scenario.model}.pml"\n'


def read_result(check: Check, output: str, seconds: float = 0.0) -> Result:
    """Judges what Spin's verifier has printed. A search that did not end is no proof, whatever it has not found."""
    counted = re.search(r"([\d.e+]+) states, stored", output)
    errors = re.search(r"errors: (\d+)", output)
    found = re.search(r"^pan:1: (?:assertion violated )?\(?(.+?)\)? \(at depth", output, re.M)
    if counted is None or errors is None:
        return Result(check, f"NOT CHECKED: {first_line(output)}", False)
    verdict, is_right = judge(check.expected, found[1] if found else None)
    is_truncated = any(words in output for words in TRUNCATED) or ("Search not completed" in output and not found)
    if is_truncated or (not found and errors[1] != "0"):
        verdict, is_right = "TRUNCATED", False
    return Result(check, verdict, is_right, int(float(counted[1])), seconds)


def judge(expected: str | None, found: str | None) -> tuple[str, bool]:
    if found == expected:
        return (f"fails: {words(expected)}", True) if expected else ("holds", True)
    if found is None:
        return f"NOT FOUND: {words(expected or '')}", False
    return f"WRONG: {words(found)}", False


def words(name: str) -> str:
    return "deadlock" if name == DEADLOCK else name.replace("_", " ")


def first_line(output: str) -> str:
    return next(filter(None, output.splitlines()), "no output")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
