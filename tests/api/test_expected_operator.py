"""Callers say with whom they believe a contact to be: nothing changes if it is with somebody else."""

import pytest

from routing import lifecycle
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return characters.operator("Anna")


@pytest.fixture
def boris():
    return characters.operator("Boris", is_active=False)


@pytest.fixture
def path(anna, boris):
    """A contact that Anna has."""
    return f"/api/v1/contacts/{characters.contact(characters.source(roster={anna: 10, boris: 10})).pk}"


CALLS = {
    "resolve": ("resolve", {}),
    "routed": ("reassign", {}),
    "given": ("reassign", {"operator_id": "boris"}),
    "forced": ("reassign", {"operator_id": "boris", "force": True}),
    "given to whom it is with": ("reassign", {"operator_id": "anna"}),
    "returned": ("reassign", {"operator_id": None}),
    "taken": ("accept", {}),
    "declined": ("decline", {"reason": "On lunch"}),
    "answered": ("touch", {}),
}


@pytest.fixture(params=[*CALLS.values()], ids=[*CALLS])
def call(request, api, anna, boris, path):
    """A call that takes the expectation; Boris may take the contact."""
    verb, body = request.param
    type(boris).objects.update(is_active=True)
    numbers = {"anna": anna.pk, "boris": boris.pk}
    body = {name: numbers.get(value, value) for name, value in body.items()}
    return lambda expected: api.post(f"{path}/{verb}", body | {"expected_operator_id": expected})


@pytest.mark.parametrize("expected", ["boris", "nobody"])
def test_a_contact_that_is_with_somebody_else_stays_as_it_is(api, boris, path, call, expected):
    before = api.get(path).json(), api.get(f"{path}/history").json()
    answer = call(boris.pk if expected == "boris" else None)
    assert (answer.status_code, answer.json()["code"]) == (409, "taken_away")
    assert (api.get(path).json(), api.get(f"{path}/history").json()) == before


def test_a_contact_that_is_where_it_is_expected_is_changed(anna, call):
    assert call(anna.pk).status_code == 200


def test_a_waiting_contact_is_expected_to_be_with_nobody(api, anna, path):
    api.post(f"{path}/reassign", {"operator_id": None})
    refused = api.post(f"{path}/resolve", {"expected_operator_id": anna.pk})
    assert (refused.status_code, refused.json()["code"]) == (409, "taken_away")
    assert api.post(f"{path}/resolve", {"expected_operator_id": None}).json()["is_resolved"] is True


def test_resolving_again_what_somebody_else_has_resolved_is_refused(api, anna, boris, path):
    assert api.post(f"{path}/resolve").status_code == 200
    assert api.post(f"{path}/resolve", {"expected_operator_id": anna.pk}).status_code == 200
    assert api.post(f"{path}/resolve", {"expected_operator_id": boris.pk}).json()["code"] == "taken_away"


@pytest.mark.parametrize("expected", ["Anna", 0, 2**63, True, [1]])
def test_an_expectation_that_is_no_id_is_invalid(api, path, expected):
    answer = api.post(f"{path}/resolve", {"expected_operator_id": expected})
    assert [error["field"] for error in answer.json()["errors"]] == ["expected_operator_id"]


@pytest.mark.parametrize("body", ['{"operatorId": 1}', '{"operator": 1, "Force": true}', r'{"\ud800": 1}'])
def test_a_misspelt_field_does_not_mean_to_anybody(api, anna, boris, path, body):
    type(boris).objects.update(is_active=True)
    answer = api.post(f"{path}/reassign", body, content_type="application/json")
    assert (answer.status_code, len(answer.json()["errors"])) == (400, body.count(":"))
    assert api.get(path).json()["operator_id"] == anna.pk


def test_a_misspelt_field_of_a_hand_over_takes_nobody_off_duty(api, anna, path):
    answer = api.post(f"/api/v1/operators/{anna.pk}/handover", {"stayOnDuty": True})
    assert [error["field"] for error in answer.json()["errors"]] == ["stayOnDuty"]
    assert api.get(f"/api/v1/operators/{anna.pk}").json()["is_active"] is True
    assert api.get(path).json()["operator_id"] == anna.pk


def test_a_known_field_beside_unknown_ones_counts(api, anna, boris, path):
    answer = api.post(f"{path}/reassign", {"operator_id": boris.pk, "force": True, "comment": "urgent"})
    assert answer.json()["operator_id"] == boris.pk


def test_other_calls_ignore_unknown_fields(api, path):
    assert api.post(f"{path}/resolve", {"comment": "done"}).json()["is_resolved"] is True


def test_a_message_and_a_state_are_changed_together_or_not_at_all(api, path):
    """The lead of an erased person gets no text; so the contact is not reopened either."""
    api.post(f"/api/v1/leads/{api.get(path).json()['lead_id']}/erase")
    before = api.get(path).json()
    answer = api.patch(path, {"is_resolved": False, "message": "corrected"})
    assert (answer.status_code, answer.json()["code"]) == (409, "erased")
    assert api.get(path).json() == before
    events = lifecycle.find_contact(before["id"]).history.values_list("what", flat=True)
    assert sorted(events) == ["registered", "resolved"]
