"""deploy/postgresql/back-up, which the service `backup` of deploy/compose.production.yaml runs day after day."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.service.own_postgresql import with_programs
from tests.service.running import PROJECT, run, wait_until

pytestmark = [pytest.mark.service, pytest.mark.postgresql]

SCRIPT = "deploy/postgresql/back-up"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups"


@pytest.fixture
def env(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    (tmp_path / "database_url").write_text(environment["DATABASE_URL"] + "\n")
    return with_programs(environment) | {"DATABASE_URL_FILE": str(tmp_path / "database_url")}


def backups(folder: Path) -> list[Path]:
    return sorted(folder.glob("crm-router-*.dump"))


class Days(NamedTuple):
    pid: int
    said: Path

    def is_over(self) -> bool:
        """Whether it has done what there was to do, and sleeps until the next look."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        with suppress(FileNotFoundError):  # one that has just ended
            return any(Path(f"/proc/{child}/comm").read_text() == "sleep\n" for child in children)
        return False


@contextmanager
def day_after_day(folder: Path, env: dict[str, str]) -> Iterator["Days"]:
    """While it runs."""
    said = folder.with_name("said")
    with said.open("w") as output:
        process = subprocess.Popen(
            ["sh", SCRIPT, str(folder)], cwd=PROJECT, env=env, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield Days(process.pid, said)
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # with the sleep that it waits for
        process.wait()


def test_the_first_one_is_made_at_once_and_can_be_restored(folder: Path, env: dict[str, str]) -> None:
    with day_after_day(folder, env):
        [file] = wait_until(lambda: backups(folder), "a backup is made")
    assert run("pg_restore", "--list", str(file), env=env).returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_restart_makes_no_second_one_on_the_same_day_and_clears_away_half_ones(
    folder: Path, env: dict[str, str]
) -> None:
    today, half = folder / time.strftime("crm-router-%Y%m%dT000000Z.dump", time.gmtime()), folder / "crm-router-1.part"
    for file in (today, half):
        file.touch()
    with day_after_day(folder, env) as days:
        wait_until(days.is_over, "the day's work is done")
    assert list(folder.iterdir()) == [today]


def test_fourteen_are_kept(folder: Path, env: dict[str, str]) -> None:
    for day in range(10, 30):
        (folder / f"crm-router-202001{day}T000000Z.dump").touch()
    made = run("sh", SCRIPT, str(folder), "now", env=env)
    assert made.returncode == 0, made.stderr
    kept = backups(folder)
    assert (len(kept), str(kept[-1])) == (14, made.stdout.strip())
    assert kept[0].name == "crm-router-20200117T000000Z.dump"


def test_what_fails_says_so_and_leaves_no_backup(folder: Path, env: dict[str, str]) -> None:
    Path(env["DATABASE_URL_FILE"]).write_text("postgres://crm:wrong@127.0.0.1:1/crm")
    with day_after_day(folder, env) as days:
        wait_until(lambda: "The next attempt is in ten minutes." in days.said.read_text(), "it says so")
    assert run("sh", SCRIPT, str(folder), "now", env=env).returncode == 1
    assert list(folder.iterdir()) == []


def test_the_monitoring_reads_when_and_nothing_else(folder: Path, env: dict[str, str]) -> None:
    run("sh", SCRIPT, str(folder), "now", env=env)
    told = folder / "metrics/crm_router_backup.prom"
    name, moment = told.read_text().split()
    assert name == "crm_router_last_backup_timestamp_seconds"
    assert abs(float(moment) - time.time()) < 60
    assert (told.parent.stat().st_mode & 0o777, told.stat().st_mode & 0o777) == (0o755, 0o644)
