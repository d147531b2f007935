"""Whether the files that a connection has open are still those at their path.

SQLite does not look: below a file that was replaced or deleted it goes on writing into the old one, which nobody will
ever read. Its log (-wal) and the index of the log (-shm) belong to one database file: with another one they would
damage it.
"""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from django.db import OperationalError

SUFFIXES = ("", "-wal", "-shm")

Identity = tuple[int, int]  # device and inode
Files = tuple[Identity | None, ...]  # in the order of SUFFIXES, None for a file that is not there

known: set[str] = set()  # paths at which a database must be, because this process has used it
in_use: WeakKeyDictionary[Any, Files] = WeakKeyDictionary()  # by connection of Django
# Connections of SQLite that lost a file. They stay open while another of their files is at the path: a number of an
# inode means something only as long as the file exists.
left: list[tuple[Files, sqlite3.Connection]] = []
lock = Lock()  # guards these


def files_at(path: str) -> Files:
    return tuple(identity_of(f"{path}{suffix}") for suffix in SUFFIXES)


def identity_of(path: str) -> Identity | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def fit(opened: Files, found: Files) -> bool:
    """Whether all files that are open are still there."""
    return all(ours is None or ours == theirs for ours, theirs in zip(opened, found, strict=True))


def hold(connection: Any, path: str, *, found_before: Files) -> None:
    """Remembers what the connection has open.

    Raises OperationalError if the database was replaced while it was opened: which of the two it has open is not known.
    """
    found = files_at(path)
    if found_before[0] not in (None, found[0]):
        raise OperationalError(f"The database file {path} was replaced while it was opened.")
    with lock:
        known.add(path)
        in_use[connection] = found


def release(connection: Any, path: str) -> bool:
    """Called before the connection is closed. Returns whether it may be closed: one that lost a file is kept."""
    is_lost = is_open(connection) and has_lost(connection, path)
    with lock:
        opened = in_use.pop(connection, None)
        if opened and is_lost:
            left.append((opened, connection.connection))
    return not is_lost


def is_open(connection: Any) -> bool:
    """Whether SQLite's connection is open. A fault may have closed it below Django's: the last one takes its log along,
    and nothing is lost."""
    try:
        connection.connection.in_transaction  # noqa: B018 - raises if it is closed
    except (AttributeError, sqlite3.ProgrammingError):
        return False
    return True


def has_lost(connection: Any, path: str) -> bool:
    """Whether a file of the connection is no longer at its path. The log is created with the first statement."""
    found = files_at(path)
    with lock:
        opened = in_use.get(connection, found)
        if is_lost := not fit(opened, found):
            return is_lost
        in_use[connection] = found
    return False


def require(path: str) -> None:
    """From now on, a missing database is an error. SQLite would create an empty one."""
    with lock:
        known.add(path)


def check_before_opening(path: str) -> Files:
    """The files that are there. Raises OperationalError where opening the database would create an empty one, or mix
    files of two."""
    with lock:
        found = files_at(path)  # not before: another thread could create the log meanwhile, which would seem removed
        if found[0] is None and path in known:
            raise OperationalError(f"The database file {path} is missing.")
        close_unrelated(found)
        opened_here = [opened for connection, opened in list(in_use.items()) if is_open(connection)]
        former = [opened for opened in (*(opened for opened, _ in left), *opened_here) if not fit(opened, found)]
    mixed = {file for opened in former for file in shared(opened, found)}
    names = [f"{Path(path).name}{suffix}" for suffix, file in zip(SUFFIXES, found, strict=True) if file in mixed]
    if found[0] in mixed:
        raise OperationalError(f"The log of the database file {path} was removed below this process. Restart it.")
    if names:
        raise OperationalError(
            f"The database file {path} was replaced below this process, but not {' and '.join(names)}, which would "
            "damage it. Move them away."
        )
    return found


def shared(opened: Files, found: Files) -> Iterator[Identity]:
    """The files that are at the same place in both."""
    return (ours for ours, theirs in zip(opened, found, strict=True) if ours is not None and ours == theirs)


def close_unrelated(found: Files) -> None:
    """Closes the connections that were kept and have nothing in common with what is at the path now."""
    for kept in left[:]:
        opened, connection = kept
        if not any(shared(opened, found)):
            left.remove(kept)
            connection.close()
