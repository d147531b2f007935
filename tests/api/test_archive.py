"""What is archived can be listed and restored by the API."""

import pytest

from routing import operator_actions, source_actions
from tests import characters

API = "/api/v1"


@pytest.fixture
def anna(db):
    return characters.operator("Anna", limit=1)


@pytest.fixture
def left(db):
    left = characters.operator("Left")
    operator_actions.archive_operator(operator_id=left.pk)
    return left


@pytest.fixture
def closed(db):
    closed = characters.source("Closed")
    source_actions.archive_source(source_id=closed.pk)
    return closed


def listed(api, path, **query):
    return [row["id"] for row in api.get(API + path, query).json()]


def test_the_archive_is_listed_when_asked_for(api, anna, left, closed):
    bot = characters.source()
    assert listed(api, "/operators") == listed(api, "/operators", archived="false") == [anna.pk]
    assert listed(api, "/operators", archived="true") == [left.pk]
    assert listed(api, "/sources") == [bot.pk]
    assert listed(api, "/sources", archived="true") == [closed.pk]


@pytest.mark.parametrize("path", ["/operators", "/sources"])
def test_a_flag_that_is_neither_true_nor_false_is_refused(api, db, path):
    answer = api.get(API + path, {"archived": "perhaps"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "archived")


def test_what_is_archived_is_found_in_the_list_only(api, left, closed):
    assert api.get(f"{API}/operators/{left.pk}?archived=true").status_code == 404
    assert api.patch(f"{API}/sources/{closed.pk}?archived=true", {"name": "Open"}).status_code == 404


def test_a_restored_operator_gets_what_waits(api, anna):
    bot = characters.source(roster={anna: 10})
    operator_actions.archive_operator(operator_id=anna.pk)
    waiting = characters.contact(bot)
    answer = api.post(f"{API}/operators/{anna.pk}/restore")
    assert (answer.status_code, answer.json()["current_load"]) == (200, 1)
    assert api.get(f"{API}/contacts/{waiting.pk}").json()["operator_id"] == anna.pk


def test_a_restored_source_takes_contacts_again(api, closed):
    asked = {"source_id": closed.pk, "lead_phone": "+79990000001"}
    assert api.post(f"{API}/contacts", asked).status_code == 404
    assert api.post(f"{API}/sources/{closed.pk}/restore").json()["name"] == "Closed"
    assert api.post(f"{API}/contacts", asked).status_code == 201


def test_restoring_what_is_current_changes_nothing(api, anna):
    bot = characters.source()
    for path in (f"{API}/operators/{anna.pk}", f"{API}/sources/{bot.pk}"):
        before = api.get(path).json()
        assert api.post(f"{path}/restore").json() == before
        assert api.get(path).json() == before


@pytest.mark.parametrize("path", ["/operators", "/sources"])
def test_restoring_what_never_was_is_a_404(api, db, path):
    assert api.post(f"{API}{path}/404/restore").status_code == 404


def test_a_source_whose_name_is_taken_by_now_stays_closed(api, closed):
    characters.source("Closed")
    answer = api.post(f"{API}/sources/{closed.pk}/restore")
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
    assert listed(api, "/sources", archived="true") == [closed.pk]
