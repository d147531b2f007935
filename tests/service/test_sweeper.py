"""What an event has left in the queue does not wait for the next event."""

import pytest
from rest_framework.test import APIClient

from operators.models import Operator
from tests.service import database
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
@pytest.mark.once
def test_what_waits_at_the_start_is_routed(start: StartService, environment: dict[str, str]) -> None:
    with database.default_at(environment["DATABASE_URL"]):
        api = APIClient()
        operator = api.post("/api/v1/operators", {"name": "Anna", "max_load": 10, "is_active": False}).json()["id"]
        source = api.post("/api/v1/sources", {"name": "Bot"}).json()["id"]
        assert api.post(f"/api/v1/sources/{source}/operators", {"operator_id": operator}).status_code == 201
        contact = api.post("/api/v1/contacts", {"source_id": source, "lead_phone": "+79990000000"}).json()
        assert contact["assignment"]["status"] == "waiting"
        Operator.objects.update(is_active=True)
    service = start(SWEEP_SECONDS="0").wait_until_up()
    assert service.get("/api/v1/queue")[1] == []
    assert service.get(f"/api/v1/contacts/{contact['id']}")[1]["operator_id"] == operator
