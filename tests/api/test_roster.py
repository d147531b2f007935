import pytest

from routing.models import RosterEntry
from tests import characters


@pytest.fixture
def anna(db):
    return characters.operator("Anna")


@pytest.fixture
def boris(db):
    return characters.operator("Boris")


@pytest.fixture
def path(anna):
    return f"/api/v1/sources/{characters.source(roster={anna: 10}).pk}/operators"


def test_a_roster_is_replaced_as_a_whole(api, boris, path):
    answer = api.put(path, [{"operator_id": boris.pk, "weight": 30}])
    assert (answer.status_code, [row["operator_id"] for row in answer.json()]) == (200, [boris.pk])
    assert api.get(path).json() == answer.json()


@pytest.mark.parametrize("extra", [{"operator_id": 404}, {"operator_id": 1, "weight": 0}, {"weight": 5}, "nonsense"])
def test_a_roster_is_replaced_all_or_nothing(api, anna, boris, path, extra):
    assert api.put(path, [{"operator_id": boris.pk, "weight": 30}, extra]).status_code in (400, 404)
    assert [row["operator_id"] for row in api.get(path).json()] == [anna.pk]


def test_nobody_stands_on_a_roster_twice(api, boris, path):
    answer = api.put(path, [{"operator_id": boris.pk, "weight": weight} for weight in (10, 20)])
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "repeated")


def test_an_empty_roster_is_a_roster(api, path):
    assert api.put(path, []).json() == []


def test_an_operator_can_be_taken_off(api, anna, path):
    assert api.delete(f"{path}/{anna.pk}").status_code == 204
    assert not RosterEntry.objects.exists()
    assert api.delete(f"{path}/{anna.pk}").status_code == 404


def test_the_progress_of_those_who_stay_is_kept(api, anna, boris, path):
    RosterEntry.objects.update(progress=5.0)
    api.put(path, [{"operator_id": anna.pk, "weight": 20}, {"operator_id": boris.pk, "weight": 30}])
    assert RosterEntry.objects.get(operator=anna).progress == 5.0
