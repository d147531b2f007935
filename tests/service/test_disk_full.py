"""No room left for SQLite: 503, nothing half-written, and on as soon as there is room again."""

import resource

import pytest

from tests.service.conftest import StartService
from tests.service.running import Service

pytestmark = [pytest.mark.service, pytest.mark.once]


def leave_room(service: Service, size: int) -> None:
    """How large any file of the serving processes may grow: what an ordinary user can do to fill a disk for one."""
    for worker in service.workers():
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


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
    assert service.manage("check_routing").returncode == 0
