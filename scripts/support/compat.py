"""Runs the tests with each supported Django on each supported PostgreSQL that this machine has."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import postgresql

NEWER = {"django": ">=6.1,<6.2", "django-unfold": ""}  # than the lock; need Python 3.12
PYTHONS = ("python3.13", "python3.12")
SERVERS = (15, 18)
# The service's own tests start it from the environment of the lock, and look the same on every version here.
MARKS = "not service"
# Only for NEWER: a warning of a library about itself, which would be an error in the tests, and what holds the Russian
# catalogue to the words of the unfold in the lock. On a phone the newer one shows tables that scroll in place of cards,
# and closes its filters by a touch beside them.
EXCEPTIONS = [
    *["-W", "ignore:Overriding get_action_choices"],  # unfold 0.110 on Django 6.1
    *["--deselect", "tests/admin/test_russian.py::test_every_message_of_the_sources_is_translated"],
    *["--deselect", "tests/admin/test_russian.py::test_what_replaces_djangos_words_replaces_something"],
    *["--deselect", "tests/browser/test_every_page.py::test_every_page_opens_fits_and_breaks_no_rule[ru-390-dark]"],
    *["--deselect", "tests/browser/test_back_office.py::test_every_label_of_a_card_begins_with_a_capital"],
    *["--deselect", "tests/browser/test_back_office.py::test_filters_are_closed_on_a_phone_without_choosing"],
]


def main(arguments: list[str]) -> int:
    outcomes: dict[str, str] = {}
    with folder() as place:
        environments = {"the lock": Path(sys.executable)}
        if newer := newer_environment(place):
            environments["newer"] = newer
        for major in SERVERS:
            programs = programs_of(major)
            for name, python in environments.items():
                title = f"PostgreSQL {major}, {name} (Django {django_of(python)})"
                more = [*arguments, *(EXCEPTIONS if python == newer else [])]
                outcomes[title] = tested(title, python, programs, more) if programs else "NOT RUN, not here"
        if not newer:
            outcomes["Django 6.1"] = f"NOT RUN: it needs COMPAT_PYTHON, or one of {', '.join(PYTHONS)} on the PATH"
    print(*(f"{title}: {outcome}" for title, outcome in outcomes.items()), sep="\n")
    return 0 if set(outcomes.values()) == {"passed"} else 1


@contextmanager
def folder() -> Iterator[Path]:
    """COMPAT_FOLDER, which is kept, or a temporary one."""
    if kept := os.environ.get("COMPAT_FOLDER"):
        yield Path(kept)
        return
    with tempfile.TemporaryDirectory(prefix="crm-router-compat-", ignore_cleanup_errors=True) as temporary:
        yield Path(temporary)


def newer_environment(place: Path) -> Path | None:
    """The Python of an environment that holds the lock, but for NEWER. None without a Python to make it of."""
    base = next(filter(runs, [os.environ.get("COMPAT_PYTHON", ""), *PYTHONS]), None)
    if base is None:
        return None
    venv, wanted = place / "newer", place / "newer.txt"
    place.mkdir(parents=True, exist_ok=True)
    wanted.write_text("\n".join([*locked(), *(name + version for name, version in NEWER.items())]))
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--allow-existing", "--python", base, venv], check=True)
    python = venv / "bin" / "python"
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, "-r", wanted], check=True)
    return python


def runs(python: str) -> bool:
    """Some of a name are only stubs."""
    if not (program := shutil.which(python)):
        return False
    return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0


def locked() -> list[str]:
    """The packages of the lock with their versions, without hashes and without those that become newer."""
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", Path("requirements/dev.txt").read_text(), re.MULTILINE)
    return [f"{name}=={version}" for name, version in pins if name not in NEWER]


def programs_of(major: int) -> Path | None:
    found = (folder for folder in postgresql.candidates() if (folder / "initdb").is_file())
    return next((folder for folder in found if postgresql.major_version(folder) == major), None)


def django_of(python: Path) -> str:
    answer = subprocess.run([python, "-m", "django", "--version"], capture_output=True, text=True, check=True)
    return answer.stdout.strip()


def tested(title: str, python: Path, programs: Path, arguments: list[str]) -> str:
    print(f"\n##### {title} #####", flush=True)
    with tempfile.TemporaryDirectory(prefix="crm-router-postgresql-", ignore_cleanup_errors=True) as temporary:
        identity = postgresql.unprivileged(Path(temporary))
        reachable = postgresql.reachable(programs, Path(temporary), identity)
        with postgresql.cluster(reachable, Path(temporary), identity) as url:
            environment = os.environ | {"TEST_DATABASE_URL": url}
            command = [str(python), "scripts/support/suite.py", "-m", MARKS, *arguments]
            code = subprocess.run(command, env=environment, check=False).returncode
    return "passed" if code == 0 else f"FAILED (exit code {code})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
