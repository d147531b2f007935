import pytest

from tests import characters


def test_the_list_is_a_bare_array_in_id_order(api):
    first, second = characters.operator("Boris"), characters.operator("Anna")
    assert [row["id"] for row in api.get("/api/v1/operators").json()] == [first.pk, second.pk]


def test_an_operator_is_on_duty_unless_said_otherwise(api):
    assert api.post("/api/v1/operators", {"name": "Anna", "max_load": 5}).json()["is_active"] is True


def test_a_patch_changes_what_it_names(api):
    anna = characters.operator("Anna", limit=5)
    answer = api.patch(f"/api/v1/operators/{anna.pk}", {"max_load": 7, "current_load": 99, "nonsense": 1})
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["max_load"], answer.json()["current_load"]) == ("Anna", 7, 0)


def test_a_deleted_operator_is_gone_and_its_contacts_stay(api):
    anna = characters.operator()
    contact = characters.contact(characters.source(roster={anna: 10}))
    answer = api.delete(f"/api/v1/operators/{anna.pk}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert api.get("/api/v1/operators").json() == []
    assert api.get(f"/api/v1/operators/{anna.pk}").status_code == 404
    assert api.delete(f"/api/v1/operators/{anna.pk}").status_code == 404
    assert api.get(f"/api/v1/contacts/{contact.pk}").json()["assignment"]["status"] == "waiting"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["name", "max_load"]),
        ({"name": "", "max_load": 5}, ["name"]),
        ({"name": "x" * 101, "max_load": 5}, ["name"]),
        ({"name": "Anna", "max_load": 0}, ["max_load"]),
        ({"name": "Anna", "max_load": 101}, ["max_load"]),
        ({"name": "Anna", "max_load": "many"}, ["max_load"]),
        ({"name": "Anna", "max_load": 5, "is_active": "perhaps"}, ["is_active"]),
        ({"name": "A\0nna", "max_load": 5}, ["name"]),
        ({"name": ["Anna"], "max_load": None}, ["name", "max_load"]),
    ],
)
def test_every_bad_field_is_named(api, body, fields):
    answer = api.post("/api/v1/operators", body)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == fields
    assert api.get("/api/v1/operators").json() == []
