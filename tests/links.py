"""The machine's network links.

A browser drops its connections when a link comes or goes, so tests that make links run while no browser does: also in
other processes of tests, and in other checkouts.
"""

import fcntl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(tempfile.gettempdir())


@contextmanager
def unchanged() -> Iterator[None]:
    with locked(fcntl.LOCK_SH):
        yield


@contextmanager
def changing() -> Iterator[None]:
    with locked(fcntl.LOCK_EX):
        yield


@contextmanager
def locked(how: int) -> Iterator[None]:
    with (FOLDER / "crm-router-links.turn").open("w") as turn, (FOLDER / "crm-router-links.lock").open("w") as links:
        fcntl.flock(turn, fcntl.LOCK_EX)  # or browsers that follow each other would never let anybody in
        fcntl.flock(links, how)
        fcntl.flock(turn, fcntl.LOCK_UN)
        yield
