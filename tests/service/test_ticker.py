"""Time passes in the service: who does not take a contact loses it, also after a process was killed."""

import os
import signal
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.service.conftest import StartService
from tests.service.running import Service, wait_until

pytestmark = [pytest.mark.service]

SHORTEST = 10  # seconds
SOON = timedelta(seconds=5)


def source_with_a_limit(service: Service) -> int:
    source = service.roster(operators=2, limit=10)
    assert service.call("PATCH", f"/api/v1/sources/{source}", {"accept_within": SHORTEST})[0] == 200
    return source


def missed(service: Service, source: int, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A new contact, and the line of its history that says that it was not taken in time."""
    contact = service.post("/contacts", {"source_id": source, "lead_phone": f"+7999000000{number}"})

    def line() -> Any:
        lines = service.get(f"/api/v1/contacts/{contact['id']}/history")[1]
        return next((one for one in lines if one["what"] == "timed_out"), None)

    return contact, wait_until(line, "the contact is taken away")


def has_started(service: Service, workers: int) -> bool:
    return len(service.workers()) >= workers


def lateness(contact: dict[str, Any], line: dict[str, Any]) -> timedelta:
    due_at, at = contact["assignment"]["due_at"], line["at"]
    return datetime.fromisoformat(at) - datetime.fromisoformat(due_at)


def test_who_does_not_take_a_contact_loses_it_soon_also_when_a_process_is_killed(start: StartService) -> None:
    """And where the sweep is left to others."""
    service = start(SWEEP_SECONDS="0", WEB_CONCURRENCY="2").wait_until_up()
    source = source_with_a_limit(service)
    first = wait_until(lambda: service.workers() if len(service.workers()) == 2 else None, "both processes run")
    contact, line = missed(service, source, 9)
    assert {line["from_operator_id"], line["to_operator_id"]} == {1, 2}
    assert line["from_operator_id"] == contact["operator_id"]
    assert timedelta() <= lateness(contact, line) < SOON

    for number, pid in enumerate(first):
        os.kill(pid, signal.SIGKILL)
        wait_until(partial(has_started, service, number + 3), "another one has started")
        service.wait_until_up()
        assert missed(service, source, number)[1]["what"] == "timed_out"
