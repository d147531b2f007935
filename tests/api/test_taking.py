"""Operators take, decline and answer contacts by calls of the API."""

import pytest

from operators.models import Operator
from routing import lifecycle
from tests import characters
from tests.access import callers

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return characters.operator("Anna")


@pytest.fixture
def boris():
    return characters.operator("Boris", is_active=False)


@pytest.fixture
def contact(anna, boris):
    return characters.contact(characters.source(roster={anna: 10, boris: 10}))


@pytest.fixture
def path(contact):
    return f"/api/v1/contacts/{contact.pk}"


def test_accepting_says_since_when(api, path):
    accepted = api.post(f"{path}/accept")
    assert (accepted.status_code, accepted.json()) == (200, api.get(path).json())
    assert accepted.json()["assignment"]["accepted_at"].endswith("Z")
    assert api.post(f"{path}/accept").json() == accepted.json()


def test_a_reply_counts_as_accepted(api, path):
    answered = api.post(f"{path}/touch").json()["assignment"]
    assert answered["accepted_at"].endswith("Z")
    assert (answered["due_at"], answered["offers"]) == (None, 1)


def test_declining_routes_it_to_somebody_who_has_not_had_it(api, boris, path):
    Operator.objects.update(is_active=True)
    declined = api.post(f"{path}/decline", {"reason": "On lunch"}).json()
    assert (declined["operator"]["name"], declined["assignment"]["offers"]) == ("Boris", 2)
    again = api.post(f"{path}/decline").json()["assignment"]
    assert (again["status"], again["reason"], again["offers"]) == ("waiting", "returned", 2)


def test_the_history_has_the_reason_in_own_words(api, path):
    api.post(f"{path}/decline", {"reason": "On lunch"})
    line = api.get(f"{path}/history").json()[-1]
    assert (line["what"], line["note"], line["reason"]) == ("declined", "On lunch", "returned")
    assert line["text"].endswith("“On lunch”")


@pytest.mark.parametrize("reason", ["x" * 201, ["busy"], {"text": "busy"}, True])
def test_a_reason_that_is_no_short_text_is_invalid(api, path, reason):
    before = api.get(path).json()
    answer = api.post(f"{path}/decline", {"reason": reason})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["reason"])
    assert api.get(path).json() == before


@pytest.mark.parametrize("verb", ["accept", "decline", "touch"])
@pytest.mark.parametrize("state", ["waiting", "resolved"])
def test_only_an_open_assigned_contact_is_taken(api, contact, path, verb, state):
    change = {"waiting": lifecycle.return_contact, "resolved": lifecycle.resolve_contact}[state]
    change(contact_id=contact.pk)
    answer = api.post(f"{path}/{verb}")
    assert (answer.status_code, answer.json()["code"]) == (409, state)


def test_who_comes_too_late_is_told_who_has_it(api, anna, boris, contact, path):
    lifecycle.force_contact(contact_id=contact.pk, operator_id=boris.pk)
    body = {"expected_operator_id": anna.pk}
    english = api.post(f"{path}/accept", body, headers={"Accept-Language": "en"})
    assert (english.status_code, english.json()["code"]) == (409, "taken_away")
    assert english.json()["detail"] == "Boris has this contact now. Nothing was changed."


def test_a_source_key_tells_of_replies_but_neither_takes_nor_declines(contact):
    mine, other = callers.bot(contact.source), callers.bot(characters.source())
    assert mine.post(f"/api/v1/contacts/{contact.pk}/touch").json()["assignment"]["accepted_at"]
    assert other.post(f"/api/v1/contacts/{contact.pk}/touch").status_code == 404
    for verb in ("accept", "decline"):
        assert mine.post(f"/api/v1/contacts/{contact.pk}/{verb}").status_code == 403
