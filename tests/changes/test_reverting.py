"""Taking a change back: the old values, once, and only if no others were set since."""

import pytest

from routing import operator_actions
from tests import characters
from tests.changes.calls import CHANGES, OPERATOR, WAYS, newest, of_anna, revert

pytestmark = pytest.mark.django_db


def test_a_change_is_taken_back(api, anna):
    api.patch(f"/api/v1/operators/{anna.pk}", {"is_active": False, "max_load": 3})
    change = newest(api)
    made = revert(api, change, **{"X-Change-Reason": "A mistake"}).json()
    anna.refresh_from_db()
    assert (anna.is_active, anna.max_load) == (True, 10)
    assert (made["before"], made["after"]) == (change["after"], change["before"])
    assert (made["reverts"], made["reason"]) == (change["id"], "A mistake")


def test_a_reversal_is_taken_back_likewise(api, anna):
    api.patch(f"/api/v1/operators/{anna.pk}", {"max_load": 3})
    revert(api, revert(api, newest(api)).json())
    anna.refresh_from_db()
    assert anna.max_load == 3


@pytest.mark.parametrize(
    "way", ["archiving an operator", "archiving a source", "handing over", "a roster", "a weight", "a setting"]
)
def test_every_kind_is_taken_back_and_once_only(api, anna, bot, way):
    _, method, path, body, *_ = WAYS[way]
    getattr(api, method)(f"/api/v1{path.format(anna.pk, bot.pk)}", of_anna(body, anna))
    change = newest(api)
    made = revert(api, change)
    assert made.status_code == 200, made.content
    assert made.json()["after"] == change["before"]
    again = revert(api, change)
    assert (again.status_code, again.json()["code"]) == (409, "changed_since")


def test_what_was_changed_since_is_not_taken_back(api, anna):
    api.patch(f"/api/v1/operators/{anna.pk}", {"max_load": 3})
    change = newest(api)
    api.patch(f"/api/v1/operators/{anna.pk}", {"max_load": 4})
    assert revert(api, change).json()["code"] == "changed_since"
    anna.refresh_from_db()
    assert anna.max_load == 4


def test_what_was_archived_since_is_not_taken_back(api, anna):
    api.patch(f"/api/v1/operators/{anna.pk}", {"max_load": 3})
    change = newest(api)
    operator_actions.archive_operator(operator_id=anna.pk)
    assert revert(api, change).json()["code"] == "changed_since"


def test_a_created_object_is_not_taken_back(api):
    api.post("/api/v1/operators", OPERATOR)
    assert revert(api, newest(api)).json()["code"] == "not_revertible"


def test_a_name_that_was_taken_since_is_refused_as_always(api, bot):
    api.patch(f"/api/v1/sources/{bot.pk}", {"name": "Another"})
    change = newest(api)
    characters.source("Bot")
    assert revert(api, change).json()["code"] == "name_taken"


def test_an_unknown_change_is_a_404(api):
    assert revert(api, {"id": 404}).status_code == api.get(f"{CHANGES}/404").status_code == 404
