"""`operator` in a contact: whoever may see the contact may know whom it is with."""

import pytest

from routing import operator_actions
from tests import characters
from tests.access import callers

PATH = "/api/v1/contacts"


@pytest.fixture
def anna(db):
    return characters.operator("Anna", external_ref="tg-1", limit=3)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


@pytest.fixture
def shown(anna):
    return {"id": anna.pk, "name": "Anna", "external_ref": "tg-1"}


def register(api, bot, **headers):
    return api.post(PATH, {"source_id": bot.pk, "lead_phone": "+79990000001"}, headers=headers).json()


def test_a_registered_contact_names_its_operator(api, bot, shown):
    assert register(api, bot)["operator"] == shown


def test_a_waiting_contact_has_none(api, db):
    assert register(api, characters.source())["operator"] is None


def test_a_repeated_request_names_it_too(api, bot, shown):
    key = {"Idempotency-Key": "k1"}
    assert register(api, bot, **key)["operator"] == register(api, bot, **key)["operator"] == shown


def test_it_is_the_one_who_has_the_contact_now(api, bot, shown):
    contact = characters.contact(bot)
    boris = characters.operator("Boris")
    bot.roster.create(operator=boris, weight=10)
    path = f"{PATH}/{contact.pk}"
    other = {"id": boris.pk, "name": "Boris", "external_ref": None}
    assert api.post(f"{path}/reassign", {"operator_id": boris.pk}).json()["operator"] == other
    assert api.post(f"{path}/resolve").json()["operator"] == other
    assert api.post(f"{path}/reopen").json()["operator"] == other
    assert api.post(f"{path}/reassign", {}).json()["operator"] == shown
    operator_actions.hand_over(operator_id=shown["id"])
    assert api.get(path).json()["operator"] == other
    assert api.post(f"{path}/reassign", {"operator_id": None}).json()["operator"] is None


def test_who_left_is_still_named(api, anna, bot, shown):
    contact = characters.contact(bot)
    api.post(f"{PATH}/{contact.pk}/resolve")
    api.delete(f"/api/v1/operators/{anna.pk}")
    assert api.get(f"{PATH}/{contact.pk}").json()["operator"] == shown


def test_lists_name_the_operators_at_the_same_cost_however_long(api, bot, shown, django_assert_num_queries):
    contacts = [characters.contact(bot) for _ in range(3)]
    lead = contacts[0].lead_id
    with django_assert_num_queries(1):
        assert [row["operator"] for row in api.get(PATH).json()["results"]] == [shown] * 3
    with django_assert_num_queries(3):
        assert [row["operator"] for row in api.get(f"/api/v1/leads/{lead}/contacts").json()] == [shown]


def test_a_batch_names_the_operators_at_the_same_cost_however_long(api, bot, django_assert_num_queries):
    def batch(number):
        item = {"source_id": bot.pk, "lead_phone": "+79990000001"}
        items = [item | {"idempotency_key": str(place)} for place in range(number)]
        results = api.post(f"{PATH}/batch", {"contacts": items}).json()["results"]
        return [result["contact"]["operator"] for result in results]

    first = batch(5)
    assert [operator and operator["name"] for operator in first] == ["Anna"] * 3 + [None] * 2
    for number in (4, 5):
        with django_assert_num_queries(6):
            assert batch(number) == first[:number]


def test_a_source_key_sees_whom_its_contact_is_with(api, bot, shown):
    contact = characters.contact(bot)
    assert callers.bot(bot).get(f"{PATH}/{contact.pk}").json()["operator"] == shown
