"""Caps and pace over HTTP: set with the operator, recorded, taken back, and explained."""

from datetime import UTC, datetime

import pytest
import time_machine

from tests import characters

pytestmark = pytest.mark.django_db

OPERATORS = "/api/v1/operators"


@pytest.fixture(autouse=True)
def at():
    with time_machine.travel(datetime(2026, 3, 2, 12, 20, tzinfo=UTC), tick=False) as traveller:
        yield traveller


def test_they_are_set_with_the_operator_and_shown_after_the_keys_of_the_contract(api):
    caps = {"max_per_hour": 5, "max_per_day": 20, "queue_pace": 2}
    made = api.post(OPERATORS, {"name": "Anna", "max_load": 10, **caps}).json()
    assert list(made).index("max_per_hour") > list(made).index("updated_at")
    assert {name: made[name] for name in caps} == caps
    changed = api.patch(f"{OPERATORS}/{made['id']}", {"max_per_hour": None}).json()
    assert (changed["max_per_hour"], changed["max_per_day"]) == (None, 20)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_per_hour", 0),
        ("max_per_day", 100_001),
        ("queue_pace", 61),
        ("queue_pace", 0.5),
        ("max_per_hour", "many"),
        ("max_per_day", -1),
    ],
)
def test_a_number_that_cannot_be_one_is_refused(api, name, value):
    anna = characters.operator("Anna", max_per_hour=5)
    answer = api.patch(f"{OPERATORS}/{anna.pk}", {name: value, "name": "Other"})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [name]
    anna.refresh_from_db()
    assert (anna.name, anna.max_per_hour) == ("Anna", 5)


def test_a_contact_that_waits_says_when_the_next_place_opens(api):
    anna = api.post(OPERATORS, {"name": "Anna", "max_load": 10, "max_per_hour": 1}).json()
    bot = characters.source()
    api.post(f"/api/v1/sources/{bot.pk}/operators", {"operator_id": anna["id"]})
    first, second = (
        api.post("/api/v1/contacts", {"source_id": bot.pk, "lead_phone": characters.somebody_new()}).json()
        for _ in range(2)
    )
    assert second["assignment"]["reason"] == "all_capped"
    assert api.get(f"{OPERATORS}/{anna['id']}").json()["capped_until"] == "2026-03-02T13:00:00Z"
    decision = api.get(f"/api/v1/contacts/{second['id']}/decision").json()
    assert decision["next_place_at"] == "2026-03-02T13:00:00Z"
    assert [one["reason"] for one in decision["candidates"]] == ["capped"]
    assert api.get(f"/api/v1/contacts/{first['id']}/decision").json()["next_place_at"] is None
    assert api.get("/api/v1/queue").json()[0]["reason"] == "all_capped"


def test_a_change_is_recorded_and_taken_back(api):
    anna = characters.operator("Anna", max_per_hour=5)
    api.patch(f"{OPERATORS}/{anna.pk}", {"max_per_hour": 1, "queue_pace": 3})
    [change, *_] = api.get("/api/v1/changes").json()["results"]
    assert change["before"] == {"max_per_hour": 5, "queue_pace": None}
    assert change["after"] == {"max_per_hour": 1, "queue_pace": 3}
    assert api.post(f"/api/v1/changes/{change['id']}/revert").status_code == 200
    anna.refresh_from_db()
    assert (anna.max_per_hour, anna.queue_pace) == (5, None)


def test_by_hand_nobody_is_refused_for_a_cap(api):
    anna = characters.operator("Anna", max_per_hour=1)
    bot = characters.source(roster={anna: 10})
    characters.contact(bot)
    waits = characters.contact(bot)
    given = api.post(f"/api/v1/contacts/{waits.pk}/reassign", {"operator_id": anna.pk})
    assert given.json()["operator_id"] == anna.pk
