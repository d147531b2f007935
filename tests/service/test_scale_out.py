"""Three instances behind nginx on one PostgreSQL are one router: no limit is exceeded, and nobody is forgotten."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.service.bots import Bots, all_contact_ids
from tests.service.conftest import StartService
from tests.service.nginx import Nginx
from tests.service.running import Service
from tests.service.test_behind_nginx import BEHIND

pytestmark = [pytest.mark.service, pytest.mark.nginx, pytest.mark.postgresql]

OPERATORS, LIMIT, TOO_MANY = 5, 20, 60


@pytest.fixture(scope="module")
def instances(start_for_all: StartService) -> list[Service]:
    first = start_for_all(**BEHIND, WEB_CONCURRENCY="1")
    of_the_same = {"DATABASE_URL": first.env["DATABASE_URL"], "WEB_CONCURRENCY": "1"}
    return [first, *(start_for_all(**BEHIND, **of_the_same) for _ in range(2))]


def ids_of_operators(service: Service) -> set[int]:
    return {operator["id"] for operator in service.get("/api/v1/operators")[1]}


def holders(contacts: list[dict[str, int]]) -> Counter[int]:
    return Counter(contact["operator_id"] for contact in contacts)


def test_limits_are_exact_whoever_answers(instances: list[Service], nginx: Callable[..., Nginx]) -> None:
    front = nginx(*(instance.address[1] for instance in instances))
    earlier, others = all_contact_ids(instances[2].get), ids_of_operators(instances[1])
    source = instances[0].roster(operators=OPERATORS, limit=LIMIT)
    crowd = Bots(front.address, source, total=OPERATORS * LIMIT + TOO_MANY, together=24, trust=front.trust).start()
    crowd.join()

    assert (crowd.refused, crowd.dropped, crowd.others) == (0, 0, []), front.log()
    full = dict.fromkeys(ids_of_operators(instances[1]) - others, LIMIT)
    assert holders(crowd.contacts) == full | {None: TOO_MANY}
    assert all_contact_ids(instances[2].get) - earlier == {contact["id"] for contact in crowd.contacts}
    assert instances[0].findings() == []
    for instance in instances:
        assert "what=registered" in instance.output()


def test_a_place_that_becomes_free_at_one_is_taken_at_another(
    instances: list[Service], nginx: Callable[..., Nginx]
) -> None:
    source = instances[0].roster(operators=1, limit=1)
    [busy, waiting] = [
        instance.post("/contacts", {"source_id": source, "lead_phone": f"+7999000000{number}"})
        for number, instance in enumerate(instances[:2])
    ]
    assert waiting["assignment"]["status"] == "waiting"
    assert instances[2].call("POST", f"/api/v1/contacts/{busy['id']}/resolve")[0] == 200
    assert instances[0].get(f"/api/v1/contacts/{waiting['id']}")[1]["operator_id"] == busy["operator_id"]
