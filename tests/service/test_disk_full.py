"""No room left for the database: 503, nothing half-written, and on as soon as there is room again."""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.service.conftest import StartService
from tests.service.own_postgresql import Server
from tests.service.running import Service

pytestmark = [pytest.mark.service]


def leave_room(service: Service, size: int) -> None:
    """How large any file of the serving processes may grow: what an ordinary user can do to fill a disk for one."""
    for worker in service.workers():
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@pytest.mark.once
def test_a_full_disk_is_a_503_and_nothing_is_half_written(start: StartService) -> None:
    service = start().wait_until_up()
    source = service.roster(operators=1, limit=100)
    message = {"source_id": source, "lead_email": "anna@example.com", "message": "x" * 100_000}
    service.post("/contacts", message)
    leave_room(service, 500_000)

    answers = [service.call("POST", "/api/v1/contacts", message) for _ in range(20)]

    refused = [problem for status, problem in answers if status == 503]
    taken = [contact for status, contact in answers if status == 201]
    assert len(refused) + len(taken) == 20
    assert len(refused) > 10
    assert service.get("/api/v1/operators")[1][0]["current_load"] == 1 + len(taken)
    leave_room(service, resource.RLIM_INFINITY)
    service.post("/contacts", message)
    assert service.findings() == []


@contextmanager
def small_disk(server: Server) -> Iterator[Path]:
    """A file system of 32 MiB, on which the server may store."""
    disk = server.folder / "disk"
    disk.mkdir()
    owner = f"uid={server.identity['user']},gid={server.identity['group']}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size=32m,mode=0700,{owner}", "none", disk], check=True)
    try:
        yield disk
    finally:
        server.stop()
        subprocess.run(["umount", disk], check=True)


def fill(disk: Path) -> Path:
    """A file that takes all the room there is."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"x" * 4096)
            except OSError:
                return ballast


@pytest.mark.postgresql
@pytest.mark.mount
def test_so_is_the_disk_of_postgresqls_tables(start: StartService, server: Server) -> None:
    with small_disk(server) as disk:
        assert_full_tables_are_a_503(start, server, disk)


def assert_full_tables_are_a_503(start: StartService, server: Server, small_disk: Path) -> None:
    url = server.make_database("small", disk=small_disk)
    service = start("--prepared", DATABASE_URL=url).wait_until_up()
    source = service.roster(operators=1, limit=100)
    message = {"source_id": source, "lead_email": "anna@example.com"}
    ballast = fill(small_disk)

    answers = [
        service.call("POST", "/api/v1/contacts", message | {"message": os.urandom(3000).hex()}) for _ in range(20)
    ]

    assert {problem["code"] for status, problem in answers if status != 201} == {"full"}
    assert {status for status, _ in answers} <= {201, 503}
    taken = {contact["id"] for status, contact in answers if status == 201}
    stored = service.get("/api/v1/contacts?page_size=200")[1]["results"]
    assert {contact["id"] for contact in stored} == taken
    assert service.get("/api/v1/operators")[1][0]["current_load"] == len(taken)
    ballast.unlink()
    service.post("/contacts", message)
    assert service.findings() == []


@pytest.mark.postgresql
@pytest.mark.mount
def test_postgresql_that_cannot_log_its_writes_loses_nothing_that_was_answered(
    start: StartService, empty_server: Server
) -> None:
    """It stops where the log of a commit finds no room, and refuses what finds none before.

    What a server with a prepared database has logged already would not fit on the small disk.
    """
    with small_disk(empty_server) as disk:
        assert_it_loses_nothing_when_it_cannot_log(start, empty_server, disk)


def assert_it_loses_nothing_when_it_cannot_log(start: StartService, server: Server, small_disk: Path) -> None:
    server.log_writes_on(small_disk)
    server.start()
    service = start(DATABASE_URL=server.url).wait_until_up()
    message = {"source_id": service.roster(operators=10, limit=100), "lead_email": "anna@example.com"}
    ballast = fill(small_disk)
    taken = set()

    while (answer := service.call("POST", "/api/v1/contacts", message))[0] == 201:
        taken.add(answer[1]["id"])
        server.begin_another_log()

    assert answer[0] == 503
    assert answer[1]["code"] in {"full", "unavailable"}
    ballast.unlink()
    server.stop()
    server.start()
    service.wait_until_up()
    assert taken <= {contact for [contact] in server.ask("SELECT id FROM routing_contact")}
    assert service.findings() == []
