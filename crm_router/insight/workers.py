"""Adds up the metrics of gunicorn's workers: each counts in files of its own, and whoever is scraped reads them all.

The files are named for the worker's place, not for its process: who comes after a worker goes on counting where it
ended, and there are never more files than workers.
"""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess, values

MEMORY = "/dev/shm"  # counting must not wait for a busy disk

folder: Path | None = None
place = "master"


def share() -> None:
    """For the master. It comes too late once metrics are made, as when gunicorn reads its configuration again."""
    global folder
    if "crm_router.insight.metrics" in sys.modules:
        return
    # A new folder each time: the numbers of an earlier run would add up too.
    folder = Path(tempfile.mkdtemp(prefix="crm-router-metrics-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
    atexit.register(remove, folder, master=os.getpid())
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: place)


def remove(folder: Path, *, master: int) -> None:
    """Workers inherit what is to be done at exit, but the folder is the master's."""
    if os.getpid() == master:
        shutil.rmtree(folder, ignore_errors=True)


def give_place(worker: Any, others: Iterable[Any]) -> None:
    """In the master, before the worker is forked: the lowest place that no other worker has."""
    taken = {other.metrics_place for other in others}
    worker.metrics_place = next(number for number in range(len(taken) + 1) if number not in taken)


def take_place(worker: Any) -> None:
    """In the worker, once it is forked."""
    global place
    place = str(worker.metrics_place)


def forget(worker: Any) -> None:
    """In the master, when the worker is dead: what it counted stays, what it was in the middle of does not."""
    multiprocess.mark_process_dead(worker.metrics_place)
