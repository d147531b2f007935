"""A backup taken while the service writes is whole, and a fresh database restored from it passes check_routing."""

import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.service.bots import Bots, all_contact_ids
from tests.service.conftest import StartService
from tests.service.own_postgresql import Server, with_programs
from tests.service.running import Service, run, wait_until

pytestmark = [pytest.mark.service]


def backup(service: Service, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run("scripts/backup", str(folder), *arguments, env=with_programs(service.env))


def restore(env: dict[str, str], file: Path) -> subprocess.CompletedProcess[str]:
    return run("scripts/restore", str(file), env=with_programs(env))


def test_a_backup_of_a_service_at_work_can_be_restored_and_served(
    start: StartService, service: Service, another_database_url: str, tmp_path: Path
) -> None:
    source = service.roster(operators=10, limit=100)
    crowd = Bots(service.address, source, total=100_000, pause=0.05).start()
    wait_until(lambda: crowd.answered() > 50, "the bots are at work")
    before = {contact["id"] for contact in crowd.contacts}

    made = backup(service, tmp_path / "backups")

    assert made.returncode == 0, made.stderr
    crowd.stop()
    assert_nothing_is_restored_over_data_that_are_there(service, Path(made.stdout.strip()))
    restored = restore(service.env | {"DATABASE_URL": another_database_url}, Path(made.stdout.strip()))
    assert (restored.returncode, restored.stderr) == (0, ""), restored.stdout
    assert "Loads, limits, queue and contacts agree." in restored.stdout
    service.stop()
    again = start(DATABASE_URL=another_database_url).wait_until_up()
    assert before <= all_contact_ids(again.get) <= {contact["id"] for contact in crowd.contacts}
    again.post("/operators", {"name": "Anna", "max_load": 5})  # ids go on where they were


def assert_nothing_is_restored_over_data_that_are_there(service: Service, file: Path) -> None:
    known = service.get("/api/v1/operators")
    refused = restore(service.env, file)
    assert refused.returncode == 1
    assert re.search("already exists|is not empty", refused.stderr)
    assert service.get("/api/v1/operators") == known


@pytest.mark.once
def test_only_so_many_are_kept_and_nobody_else_can_read_them(shared_service: Service, tmp_path: Path) -> None:
    names = [backup(shared_service, tmp_path, "--keep", "2").stdout.strip() for _ in range(3)]
    kept = sorted(str(file) for file in tmp_path.glob("crm-router-*"))
    assert kept == names[1:]
    assert {Path(name).stat().st_mode & 0o777 for name in kept} == {0o600}


@pytest.mark.once
def test_the_monitoring_reads_when_it_was(shared_service: Service, tmp_path: Path) -> None:
    backup(shared_service, tmp_path)
    told = tmp_path / "metrics/crm_router_backup.prom"
    name, moment = told.read_text().split()
    assert name == "crm_router_last_backup_timestamp_seconds"
    assert abs(float(moment) - time.time()) < 60
    assert (told.parent.stat().st_mode & 0o777, told.stat().st_mode & 0o777) == (0o755, 0o644)


def test_a_backup_that_cannot_be_made_leaves_nothing_behind(environment: dict[str, str], tmp_path: Path) -> None:
    nowhere = {"DATABASE_URL": environment["DATABASE_URL"].replace("service_", "no_")}

    failed = run("scripts/backup", str(tmp_path / "backups"), env=with_programs(environment | nowhere))

    assert failed.returncode != 0
    assert failed.stderr
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_folder_that_takes_no_backup_is_told_in_a_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    failed = run("scripts/backup", str(tmp_path / "file/backups"), env=with_programs(environment))
    assert failed.returncode == 1
    assert failed.stderr == f"Backups cannot be written to {tmp_path}/file/backups: Not a directory.\n"


@pytest.mark.postgresql
def test_a_database_that_is_not_there_is_told_in_a_sentence(
    environment: dict[str, str], empty_server: Server, tmp_path: Path
) -> None:
    empty_server.start()
    (tmp_path / "some.dump").touch()
    nowhere = {"DATABASE_URL": empty_server.url.removesuffix("postgres") + "nowhere"}
    refused = restore(environment | nowhere, tmp_path / "some.dump")
    assert refused.returncode == 1
    assert refused.stderr.startswith("The database nowhere on 127.0.0.1")
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.once
def test_a_file_that_cannot_be_restored_is_told_in_a_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "letter.sqlite3").write_text("Dear customer, " * 100)
    there = environment | {"DATABASE_URL": f"sqlite:///{tmp_path}/there.sqlite3"}
    refused = restore(there, tmp_path / "letter.sqlite3")
    assert refused.returncode == 1
    assert refused.stderr == f"{tmp_path}/there.sqlite3 cannot be restored: file is not a database.\n"


def test_a_file_of_another_kind_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear customer")
    assert "is not a valid backup for this database" in restore(environment, tmp_path / "letter.txt").stderr
    assert "nothing.dump does not exist." in restore(environment, tmp_path / "nothing.dump").stderr
