"""`external_ref`: the id by which the caller's own systems know an operator."""

import pytest

from operators.models import Operator
from tests import characters

PATH = "/api/v1/operators"


@pytest.fixture
def anna(db):
    return characters.operator("Anna", external_ref="tg-1")


def test_it_is_set_changed_and_taken_away(api, db):
    made = api.post(PATH, {"name": "Anna", "max_load": 5, "external_ref": " 1234567 "}).json()
    assert made["external_ref"] == "1234567"
    path = f"{PATH}/{made['id']}"
    assert api.patch(path, {"external_ref": 7654321}).json()["external_ref"] == "7654321"
    assert api.patch(path, {"max_load": 6}).json()["external_ref"] == "7654321"
    assert api.patch(path, {"external_ref": None}).json()["external_ref"] is None


def test_many_operators_may_have_none(api, db):
    for reference in (None, "", " "):
        assert api.post(PATH, {"name": "A", "max_load": 5, "external_ref": reference}).json()["external_ref"] is None


def test_an_operator_is_found_by_it(api, anna):
    characters.operator("Boris", external_ref="tg-2")
    assert [row["id"] for row in api.get(PATH, {"external_ref": "tg-1"}).json()] == [anna.pk]
    assert api.get(PATH, {"external_ref": "tg"}).json() == []


@pytest.mark.parametrize("call", ["post", "patch"])
def test_one_that_another_operator_has_is_a_409(api, anna, call):
    boris = characters.operator("Boris")
    path = PATH if call == "post" else f"{PATH}/{boris.pk}"
    answer = getattr(api, call)(path, {"name": "Vera", "max_load": 5, "external_ref": "tg-1"})
    assert answer.status_code == 409
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [
        ("external_ref", "external_ref_taken")
    ]
    assert sorted(Operator.objects.values_list("name", flat=True)) == ["Anna", "Boris"]


def test_keeping_its_own_is_no_conflict(api, anna):
    assert api.patch(f"{PATH}/{anna.pk}", {"external_ref": "tg-1", "max_load": 7}).status_code == 200


def test_whoever_left_gives_it_free_and_is_not_restored_while_another_has_it(api, anna):
    api.delete(f"{PATH}/{anna.pk}")
    again = api.post(PATH, {"name": "Anna", "max_load": 5, "external_ref": "tg-1"})
    assert again.status_code == 201
    refused = api.post(f"{PATH}/{anna.pk}/restore")
    assert (refused.status_code, refused.json()["code"]) == (409, "external_ref_taken")
    api.patch(f"{PATH}/{again.json()['id']}", {"external_ref": None})
    assert api.post(f"{PATH}/{anna.pk}/restore").status_code == 200


@pytest.mark.parametrize(
    "reference", ["x" * 201, "a\0b", ["tg-1"], True], ids=["too long", "with NUL", "a list", "a boolean"]
)
def test_what_cannot_be_one_is_a_400(api, db, reference):
    answer = api.post(PATH, {"name": "Anna", "max_load": 5, "external_ref": reference})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "external_ref")
