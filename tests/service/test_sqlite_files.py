"""Another process has SQLite's lock, or the file is taken away below the service: reads go on, nothing goes nowhere."""

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.service.conftest import StartService
from tests.service.running import Service, wait_until

pytestmark = [pytest.mark.service, pytest.mark.once]

THREADS = 8
SUFFIXES = ("", "-wal", "-shm")


@pytest.fixture(scope="module")
def running(start_for_all: StartService) -> Service:
    return start_for_all(WEB_THREADS=str(THREADS))


@pytest.fixture
def service(running: Service, template: str) -> Service:
    """With a new file, whatever became of the last one: that it goes on then is shown here."""
    for suffix in SUFFIXES:
        file_of(running, suffix).unlink(missing_ok=True)
    shutil.copy(template.removeprefix("sqlite:///"), file_of(running, ".new"))
    file_of(running, ".new").rename(file_of(running))  # whole at once: the service looks there every second
    return running.wait_until_up()


def file_of(service: Service, suffix: str = "") -> Path:
    return Path(service.env["DATABASE_URL"].removeprefix("sqlite:///") + suffix)


def register(service: Service, source: int) -> tuple[int, str | None]:
    status, answer = service.call("POST", "/api/v1/contacts", {"source_id": source, "lead_email": "anna@example.com"})
    return status, answer.get("code")


@contextmanager
def locked(service: Service) -> Iterator[None]:
    """This process has the lock, as the shell of SQLite has it that somebody has left open."""
    with closing(sqlite3.connect(file_of(service), isolation_level=None)) as somebody:
        somebody.execute("BEGIN EXCLUSIVE")
        yield
        somebody.execute("COMMIT")


def test_reads_go_on_while_another_process_has_the_lock(service: Service) -> None:
    source = service.roster(operators=1, limit=100)
    key = service.new_key(source=source)
    answers: list[tuple[int, str | None]] = []
    writers = [threading.Thread(target=lambda: answers.append(register(service, source))) for _ in range(THREADS)]
    with locked(service):
        for writer in writers:
            writer.start()
        wait_until(lambda: len(answers) == 2, "all threads but those for readers wait for the lock")

        paths = ["/health", "/health/ready", "/api/v1/contacts", "/api/v1/operators", "/api/v1/stats/distribution"]
        paths += ["/admin/login/", "/openapi.json"]
        reads = [service.call("GET", path)[0] for path in paths]
        reads.append(service.call("GET", "/api/v1/contacts", key=key)[0])
        more = register(service, source)

        assert reads == [200] * len(reads)
        assert more == (503, "busy")
        assert answers == [(503, "busy")] * 2
    for writer in writers:
        writer.join()
    assert answers[2:] == [(201, None)] * 6
    assert service.findings() == []


def make_backup(service: Service, folder: Path) -> Path:
    """As `scripts/backup` does, with SQLite's own means."""
    with closing(sqlite3.connect(file_of(service))) as source, closing(sqlite3.connect(folder / "backup")) as target:
        source.backup(target)
    return folder / "backup"


def move_away(service: Service, *suffixes: str) -> None:
    for suffix in suffixes:
        file_of(service, suffix).rename(file_of(service, f".moved{suffix}"))


def test_a_deleted_file_is_a_503_until_another_is_there(service: Service, tmp_path: Path) -> None:
    source = service.roster(operators=1, limit=100)
    backup = make_backup(service, tmp_path)
    move_away(service, *SUFFIXES)

    answers = [register(service, source) for _ in range(20)]

    assert set(answers) == {(503, "unavailable")}
    assert service.get("/api/v1/contacts")[0] == 503
    assert service.wait_until_it_answers("/health/ready", 503)["code"] == "database_unreachable"
    assert service.get("/health")[0] == 200
    assert not file_of(service).exists()
    backup.rename(file_of(service))
    service.wait_until_up()
    assert register(service, source) == (201, None)
    with closing(sqlite3.connect(file_of(service))) as database:
        assert database.execute("SELECT count(*) FROM routing_contact").fetchone() == (1,)
    assert service.findings() == []


def test_a_replaced_file_is_a_503_until_the_log_of_the_former_is_gone(service: Service, tmp_path: Path) -> None:
    source = service.roster(operators=1, limit=100)
    backup = make_backup(service, tmp_path)
    assert register(service, source) == (201, None)
    earlier = service.output()
    backup.rename(file_of(service))

    answers = [register(service, source) for _ in range(20)]

    assert set(answers) == {(503, "unavailable")}
    assert "not db.sqlite3-wal and db.sqlite3-shm" in service.output().removeprefix(earlier)
    move_away(service, "-wal", "-shm")
    service.wait_until_up()
    status, page = service.get("/api/v1/contacts")
    assert status == 200, service.output()[-6000:]
    assert page["results"] == []
    assert register(service, source) == (201, None)
    assert service.findings() == []


def test_an_empty_database_in_its_place_is_a_503(service: Service) -> None:
    source = service.roster(operators=1, limit=100)
    move_away(service, *SUFFIXES)
    sqlite3.connect(file_of(service)).execute("VACUUM")

    assert register(service, source) == (503, "schema")
    assert service.wait_until_it_answers("/health/ready", 503)["code"] == "migrations_missing"


def test_a_removed_log_is_a_503(service: Service) -> None:
    source = service.roster(operators=1, limit=100)
    move_away(service, "-wal", "-shm")

    assert {register(service, source) for _ in range(20)} == {(503, "unavailable")}
