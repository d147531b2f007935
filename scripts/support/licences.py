"""Writes docs/licences.md: the licence of everything that the service installs, as its own metadata say.

.venv/bin/python scripts/support/licences.py
"""

import re
from importlib.metadata import metadata
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PAGE = PROJECT / "docs/licences.md"
ELSEWHERE = "; sys_platform == 'win32'"  # installed on Windows only, where the service does not run

HEAD = """\
# Licences

What `requirements.txt` installs, and under which licence, by each package's own metadata. The service itself is under
the MIT licence. `scripts/support/licences.py` writes this page; a test holds it to the lock.

psycopg (LGPL) is used as it is, as a library that can be replaced; nothing here changes or copies it.

| package | licence |
|---|---|
"""


def main() -> None:
    PAGE.write_text(page())


def page() -> str:
    return HEAD + "".join(f"| {name} | {licence(name)} |\n" for name in packages())


def packages() -> list[str]:
    """Of the lock, in its order."""
    lines = (PROJECT / "requirements.txt").read_text().splitlines()
    locked = [(re.match(r"([\w.-]+)(?:\[[\w,-]*\])?==", line), line) for line in lines]
    return [found[1] for found, line in locked if found and ELSEWHERE not in line]


def licence(package: str) -> str:
    said = metadata(package)
    words = said.get_all("License-Expression") or said.get_all("License") or []
    classified = [line.rsplit(" :: ", 1)[1] for line in said.get_all("Classifier") or [] if "License" in line]
    return ", ".join(words or classified) or "not said"


if __name__ == "__main__":
    main()
