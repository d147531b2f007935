"""The service answers what-ifs by itself, in a process of its own."""

import os
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.service.conftest import StartService
from tests.service.running import Service, wait_until

pytestmark = [pytest.mark.service]


def ask(service: Service) -> str:
    """A question about a source whose contacts have just come. Returns the address of the answer."""
    source = service.roster(operators=2, limit=100)
    for number in range(20):
        service.post("/contacts", {"source_id": source, "lead_phone": f"+7999000{number:04d}"})
    now = datetime.now(UTC)
    period = {"from": (now - timedelta(days=1)).isoformat(), "to": now.isoformat()}
    asked = {"source_id": source, "changes": {"weights": {"1": 90}}} | period
    status, run = service.call("POST", "/api/v1/what-if", asked)
    assert status == 202, run
    return f"/api/v1/what-if/{run['id']}"


def answered(service: Service, url: str) -> Any:
    answer = service.get(url)[1]
    return answer if answer["status"] != "running" else None


def test_what_is_asked_is_answered_also_by_another_process_when_one_is_killed(start: StartService) -> None:
    """The question is stored: nobody has to ask again. `tests/what_if/test_runs.py` has what was half done."""
    service = start().wait_until_up()
    url = ask(service)
    answer = wait_until(lambda: answered(service, url), "the what-if is answered")
    assert (answer["status"], answer["reason"]) == ("done", None)
    shares = {one["operator_id"]: one["share"] for one in answer["after"]["operators"]}
    assert shares[1] > shares[2]

    url = ask(service)
    for pid in service.workers():
        os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: answered(service, url), "the what-if is answered")["status"] == "done"
