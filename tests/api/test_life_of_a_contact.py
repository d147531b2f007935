"""The whole life of a contact over HTTP, with what the API says of it."""

import pytest

from routing import operator_actions
from tests import characters


@pytest.fixture
def anna(db):
    return characters.operator("Anna", limit=1)


@pytest.fixture
def boris(db):
    return characters.operator("Boris", limit=1)


@pytest.fixture
def bot(anna, boris):
    made = characters.source(roster={anna: 10, boris: 30})
    operator_actions.change_operator(operator_id=boris.pk, changes={"is_active": False})
    return made


@pytest.fixture
def path(bot):
    """A contact that Anna has."""
    return f"/api/v1/contacts/{characters.contact(bot).pk}"


def test_from_registration_to_the_last_line_of_its_history(api, anna, boris, path):
    assert api.post(f"{path}/reassign", {}).json()["code"] == "nobody_else_free"
    refused = api.post(f"{path}/reassign", {"operator_id": boris.pk})
    assert (refused.status_code, refused.json()["code"]) == (409, "operator_inactive")
    forced = api.post(f"{path}/reassign", {"operator_id": boris.pk, "force": True})
    assert forced.json()["operator_id"] == boris.pk
    assert api.post(f"{path}/reassign", {"operator_id": None}).json()["operator_id"] == anna.pk
    assert api.post(f"{path}/resolve").json()["assignment"]["status"] == "resolved"
    assert api.post(f"{path}/reassign", {}).json()["code"] == "resolved"
    assert api.post(f"{path}/reopen").json()["operator_id"] == anna.pk
    lines = api.get(f"{path}/history").json()
    assert [line["what"] for line in lines] == ["registered", "given", "returned", "dequeued", "resolved", "reopened"]
    assert list(lines[0]) == ["at", "what", "from_operator_id", "to_operator_id", "by", "reason", "note", "text"]
    assert lines[0]["text"] == "Registered by system: to Anna."
    assert lines[1]["by"] == "API"


def test_a_decision_has_the_shape_of_the_contract(api, anna, boris, path):
    body = api.get(f"{path}/decision").json()
    assert list(body)[:7] == ["cause", "at", "strategy", "draw", "chosen", "reason", "candidates"]
    assert body["candidates"] == [
        {
            "operator_id": anna.pk,
            "name": "Anna",
            "weight": 10,
            "load": 0,
            "max_load": 1,
            "eligible": True,
            "reason": None,
            "probability": 1.0,
        },
        {
            "operator_id": boris.pk,
            "name": "Boris",
            "weight": 30,
            "load": 0,
            "max_load": 1,
            "eligible": False,
            "reason": "inactive",
            "probability": 0.0,
        },
    ]


@pytest.mark.parametrize("call", ["decision", "history"])
def test_of_an_unknown_contact_there_is_nothing_to_tell(api, call):
    assert api.get(f"/api/v1/contacts/404/{call}").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [({"operator_id": "x"}, 400), ({"operator_id": 404}, 404), ({"operator_id": 10**30}, 400), ([], 400)],
)
def test_a_reassignment_that_cannot_be_is_refused(api, anna, path, body, status):
    assert api.post(f"{path}/reassign", body).status_code == status
    assert characters.load(anna) == 1


def test_a_handover_says_what_became_of_the_contacts(api, anna, path):
    answer = api.post(f"/api/v1/operators/{anna.pk}/handover")
    assert (answer.status_code, answer.json()) == (200, {"reassigned": 0, "queued": 1, "kept": 0})
    assert api.get(f"/api/v1/operators/{anna.pk}").json()["is_active"] is False


def test_a_handover_that_stays_on_duty_keeps_what_nobody_can_take(api, anna, path):
    answer = api.post(f"/api/v1/operators/{anna.pk}/handover", {"stay_on_duty": True})
    assert answer.json() == {"reassigned": 0, "queued": 0, "kept": 1}


def test_the_queue_says_what_waits_since_when_and_why(api, bot, path):
    first, _ = characters.contact(bot), characters.contact(bot)
    [row] = api.get("/api/v1/queue").json()
    assert row == {
        "source_id": bot.pk,
        "waiting": 2,
        "oldest_created_at": first.created_at.isoformat().replace("+00:00", "Z"),
        "reason": "none_available",
    }


def test_the_distribution_has_the_shape_of_the_contract(api, anna, bot, path):
    row = api.get("/api/v1/stats/distribution", {"source_id": bot.pk}).json()[0]
    assert row == {
        "source_id": bot.pk,
        "operator_id": anna.pk,
        "assigned": 1,
        "expected": 1.0,
        "share": 1.0,
        "configured_share": 0.25,
        "low": 0.5,
        "high": 1.5,
        "within_chance": True,
        "drawn": 1,
        "taken": 0,
        "by_hand": 0,
        "by_weight": 0.25,
        "reasons": {
            "duty": 0.75,
            "limit": 0.0,
            "given_back": 0.0,
            "sticky": 0.0,
            "load": 0.0,
            "chance": 0.0,
            "taken": 0.0,
            "by_hand": 0.0,
        },
        "verdict": "no_choice",
        "p_value": None,
    }


def test_the_distribution_can_be_of_a_period(api, path):
    rows = api.get("/api/v1/stats/distribution", {"from": "2020-01-01T00:00:00Z", "to": "2020-01-02T00:00:00Z"})
    assert {row["assigned"] for row in rows.json()} == {0}
    assert api.get("/api/v1/stats/distribution", {"from": "yesterday"}).json()["errors"][0]["field"] == "from"
