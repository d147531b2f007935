"""Writes docs/licences.md: the licence of everything that the service may install, as its own metadata say.

.venv/bin/python scripts/support/licences.py
"""

import re
from importlib.metadata import metadata
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs/licences.md"
ELSEWHERE = "; sys_platform == 'win32'"  # installed on Windows only, where the service does not run
LOCKS = {
    "requirements.txt": "",
    "requirements/sentry.txt": "\n## For Sentry\n\nWhat `requirements/sentry.txt` installs on top.\n",
    "requirements/opentelemetry.txt": (
        "\n## For OpenTelemetry\n\nWhat `requirements/opentelemetry.txt` installs on top of `requirements.txt`.\n"
    ),
}

HEAD = """\
# Licences

What `requirements.txt` installs, and under which licence, by each package's own metadata; below it what Sentry and
OpenTelemetry need, for those who want them. The service itself is under the MIT licence. `scripts/support/licences.py`
writes this page; a test holds it to the locks.

psycopg (LGPL) is used as it is, as a library that can be replaced; nothing here changes or copies it.
"""
TABLE = """\

| package | licence |
|---|---|
"""


def main() -> None:
    PAGE.write_text(page())


def page() -> str:
    return HEAD + "".join(heading + TABLE + rows(lock) for lock, heading in LOCKS.items())


def rows(lock: str) -> str:
    return "".join(f"| {name} | {licence(name)} |\n" for name in packages(lock))


def packages(lock: str) -> list[str]:
    """Of the lock, in its order, without those that the service has anyway."""
    anyway = [] if lock == "requirements.txt" else packages("requirements.txt")
    lines = (PROJECT / lock).read_text().splitlines()
    locked = [(re.match(r"([\w.-]+)(?:\[[\w,-]*\])?==", line), line) for line in lines]
    names = [found[1] for found, line in locked if found and ELSEWHERE not in line]
    return [name for name in names if name not in anyway]


def licence(package: str) -> str:
    said = metadata(package)
    words = said.get_all("License-Expression") or said.get_all("License") or []
    classified = [line.rsplit(" :: ", 1)[1] for line in said.get_all("Classifier") or [] if "License" in line]
    return ", ".join(words or classified) or "not said"


if __name__ == "__main__":
    main()
