"""What an event has left in the queue does not wait for the next event."""

import pytest

from tests.service.conftest import StartService
from tests.service.running import wait_until

pytestmark = [pytest.mark.service]


def test_what_the_pace_has_left_comes_by_itself(start: StartService) -> None:
    service = start(QUEUE_PACE="60").wait_until_up()
    source = service.roster(operators=0, limit=1)
    for number in range(3):
        service.post("/contacts", {"source_id": source, "lead_phone": f"+7999000000{number}"})
    operator = service.post("/operators", {"name": "Anna", "max_load": 10})["id"]
    service.post(f"/sources/{source}/operators", {"operator_id": operator})
    wait_until(lambda: service.get(f"/api/v1/operators/{operator}")[1]["current_load"] == 3, "all have an operator")


@pytest.mark.usefixtures("prepares")
def test_what_waits_at_the_start_is_routed(start: StartService) -> None:
    service = start(SWEEP_SECONDS="0").wait_until_up()
    source = service.roster(operators=1, limit=10)
    [operator] = service.get("/api/v1/operators")[1]
    service.call("PATCH", f"/api/v1/operators/{operator['id']}", {"is_active": False})
    service.post("/contacts", {"source_id": source, "lead_phone": "+79990000000"})
    service.stop()
    on_duty = "from operators.models import Operator; Operator.objects.update(is_active=True)"
    assert service.manage("shell", "-c", on_duty).returncode == 0
    again = start(SWEEP_SECONDS="0").wait_until_up()
    assert again.get("/api/v1/queue")[1] == []
