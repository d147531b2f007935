"""The folder of shared metrics, its names and its leftovers. tests/service/test_metrics.py adds up for real."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from crm_router.observability import worker_metrics


def worker(place=None):
    return SimpleNamespace(metrics_place=place)


@pytest.mark.parametrize(("taken", "lowest"), [([], 0), ([0, 1], 2), ([0, 2], 1), ([1, 2], 0)])
def test_a_worker_gets_the_lowest_place_that_nobody_has(taken, lowest):
    new = worker()
    worker_metrics.assign_place(new, [worker(place) for place in taken])
    assert new.metrics_place == lowest


@pytest.fixture
def left(tmp_path):
    """A folder that an earlier run has left an hour ago."""
    folder = tmp_path / f"{worker_metrics.PREFIX}left"
    folder.mkdir()
    (folder / "counter_0.db").touch()
    os.utime(folder, (0, 0))
    return folder


def test_what_a_killed_run_has_left_is_cleared_away(left):
    worker_metrics.remove_left_folders(left.parent)
    assert not left.exists()


def test_what_a_run_uses_is_left_alone(left):
    held = worker_metrics.lock_folder(left)
    worker_metrics.remove_left_folders(left.parent)
    assert left.exists()
    os.close(held)


def test_what_is_just_being_made_is_left_alone(left):
    os.utime(left)
    worker_metrics.remove_left_folders(left.parent)
    assert left.exists()


def test_where_metrics_are_made_already_nothing_is_shared():
    worker_metrics.share_between_workers()
    assert worker_metrics.folder is None


def test_the_settings_of_the_server_share_the_metrics():
    """In a process of its own, as gunicorn starts: with metrics made already, a killed worker would end the master."""
    loaded = "from crm_router.server import gunicorn_conf; from crm_router.observability import worker_metrics"
    env = os.environ | {"DATABASE_URL": "postgres://nobody@127.0.0.1/none"}  # is not asked
    subprocess.run([sys.executable, "-c", f"{loaded}; assert worker_metrics.folder.is_dir()"], check=True, env=env)
