"""Adds up the metrics of gunicorn's workers: each counts in files of its own, and whoever is scraped reads them all.

The files are named for the worker's place, not for its process: who comes after a worker goes on counting where it
ended, and there are never more files than workers.
"""

import atexit
import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess, values

MEMORY = "/dev/shm"  # counting must not wait for a busy disk
PREFIX = "crm-router-metrics-"
SETTLED = 60  # seconds

folder: Path | None = None
place = "master"


def share_between_workers() -> None:
    """For the master. It comes too late once metrics are made, as when gunicorn reads its configuration again."""
    global folder
    if "crm_router.observability.metrics" in sys.modules:
        return
    parent = Path(MEMORY if os.access(MEMORY, os.W_OK) else tempfile.gettempdir())
    remove_left_folders(parent)
    # A new folder each time: the numbers of an earlier run would add up too.
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    lock_folder(folder)
    atexit.register(remove_folder, folder, master=os.getpid())
    os.environ |= {"PROMETHEUS_MULTIPROC_DIR": str(folder)}  # where the library looks
    values.ValueClass = values.MultiProcessValue(lambda: place)


def remove_left_folders(parent: Path) -> None:
    """Removes what killed masters have left. Nobody locks those any more; one being made now is younger than that."""
    for left in parent.glob(f"{PREFIX}*"):
        try:
            if time.time() - left.stat().st_mtime > SETTLED:
                os.close(lock_folder(left))
                shutil.rmtree(left)
        except OSError:
            continue  # in use, or not ours


def lock_folder(folder: Path) -> int:
    """For as long as this process or one forked from it lives. Raises OSError when another has it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def remove_folder(folder: Path, *, master: int) -> None:
    """Workers inherit what is to be done at exit, but the folder is the master's."""
    if os.getpid() == master:
        shutil.rmtree(folder, ignore_errors=True)


def assign_place(worker: Any, others: Iterable[Any]) -> None:
    """In the master, before the worker is forked: the lowest place that no other worker has."""
    taken = {other.metrics_place for other in others}
    worker.metrics_place = next(number for number in range(len(taken) + 1) if number not in taken)


def take_place(worker: Any) -> None:
    """In the worker, once it is forked."""
    global place
    place = str(worker.metrics_place)


def forget_worker(worker: Any) -> None:
    """In the master, when the worker is dead: what it counted stays, what it was in the middle of does not."""
    multiprocess.mark_process_dead(worker.metrics_place)
