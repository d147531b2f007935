"""Adds up the metrics of gunicorn's workers: each writes its own files, and the scraped worker reads all of them.

The files are named by the worker's slot, not by its process: a replacement continues the counters of its predecessor,
and there are never more files than workers.
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

MEMORY = "/dev/shm"  # so that counting does not wait for a busy disk
PREFIX = "crm-router-metrics-"
SETTLED = 60  # seconds

folder: Path | None = None
place = "master"


def share_between_workers() -> None:
    """Called in the master. Has no effect after metrics are created, as when gunicorn reloads its configuration."""
    global folder
    if "crm_router.observability.metrics" in sys.modules:
        return
    parent = Path(MEMORY if os.access(MEMORY, os.W_OK) else tempfile.gettempdir())
    remove_left_folders(parent)
    # A new folder for each run, because the counters of an earlier run would be added.
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    lock_folder(folder)
    atexit.register(remove_folder, folder, master=os.getpid())
    os.environ |= {"PROMETHEUS_MULTIPROC_DIR": str(folder)}  # read by prometheus_client
    values.ValueClass = values.MultiProcessValue(lambda: place)


def remove_left_folders(parent: Path) -> None:
    """Removes folders of killed masters: unlocked, and older than SETTLED, which excludes one just being created."""
    for left in parent.glob(f"{PREFIX}*"):
        try:
            if time.time() - left.stat().st_mtime > SETTLED:
                os.close(lock_folder(left))
                shutil.rmtree(left)
        except OSError:
            continue  # in use, or not ours


def lock_folder(folder: Path) -> int:
    """Locks the folder while this process or one forked from it lives. Raises OSError if another process has it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def remove_folder(folder: Path, *, master: int) -> None:
    """Removes the folder in the master only, because workers inherit its exit handlers."""
    if os.getpid() == master:
        shutil.rmtree(folder, ignore_errors=True)


def assign_place(worker: Any, others: Iterable[Any]) -> None:
    """Called in the master before the fork: gives the worker the lowest free slot."""
    taken = {other.metrics_place for other in others}
    worker.metrics_place = next(number for number in range(len(taken) + 1) if number not in taken)


def take_place(worker: Any) -> None:
    """Called in the worker after the fork."""
    global place
    place = str(worker.metrics_place)


def forget_worker(worker: Any) -> None:
    """Called in the master when the worker has ended: keeps its counters, removes its gauges of running work."""
    multiprocess.mark_process_dead(worker.metrics_place)
