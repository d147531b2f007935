"""POST /what-if and GET /what-if/{id}."""

from datetime import timedelta

import pytest
from django.utils import timezone

from access import keys
from core.moments import format_utc
from routing.models import WhatIf
from routing.what_if import runs
from tests import characters

pytestmark = pytest.mark.django_db

WHAT_IF = "/api/v1/what-if"


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=100)


@pytest.fixture
def bot(anna):
    source = characters.source(roster={anna: 10, characters.operator("Boris", limit=100): 10})
    for _ in range(20):
        characters.contact(source)
    return source


@pytest.fixture
def idle(anna):
    """A source to which nobody has come."""
    return characters.source(roster={anna: 10})


def question(source, **fields):
    now = timezone.now()
    period = {"from": format_utc(now - timedelta(days=1)), "to": format_utc(now)}
    return {"source_id": source.pk, "changes": {}} | period | fields


def test_a_question_is_answered_later(api, bot, anna):
    asked = api.post(WHAT_IF, question(bot, changes={"weights": {str(anna.pk): 90}}), format="json")
    assert (asked.status_code, asked.json().keys()) == (202, {"id"})
    url = f"{WHAT_IF}/{asked.json()['id']}"
    assert api.get(url).json() == {"status": "running", "reason": None, "before": None, "after": None}
    runs.work_off()
    answered = api.get(url).json()
    assert (answered["status"], answered["reason"]) == ("done", None)
    [share] = [one for one in answered["after"]["operators"] if one["operator_id"] == anna.pk]
    assert share.keys() == {"operator_id", "share", "low", "high"}
    assert share["low"] < share["share"] < share["high"] <= 1
    assert answered["before"]["waiting_p50"] == answered["before"]["waiting_p90"] == 0


def test_a_refusal_has_a_reason_in_the_callers_language(api, bot):
    week_ago = timezone.now() - timedelta(days=7)
    empty = {"from": format_utc(week_ago - timedelta(days=1)), "to": format_utc(week_ago)}
    pk = api.post(WHAT_IF, question(bot, **empty), format="json").json()["id"]
    runs.work_off()
    answered = api.get(f"{WHAT_IF}/{pk}").json()
    assert (answered["status"], answered["before"], answered["after"]) == ("refused", None, None)
    assert "nothing can be replayed" in answered["reason"]
    assert "ничего" in api.get(f"{WHAT_IF}/{pk}", headers={"Accept-Language": "ru"}).json()["reason"].lower()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"to": "2999-01-01T00:00:00Z"}, "to"),
        ({"from": "2020-01-01T00:00:00Z"}, "from"),
        ({"from": "2999-01-01T00:00:00Z"}, "from"),
        ({"from": "yesterday"}, "from"),
        ({"from": None}, "from"),
        ({"source_id": "x"}, "source_id"),
        ({"changes": None}, "changes"),
        ({"changes": []}, "changes"),
        ({"changes": {"wieghts": {}}}, "changes.wieghts"),
        ({"changes": {"weights": []}}, "changes.weights"),
        ({"changes": {"weights": {"anna": 5}}}, "changes.weights"),
        ({"changes": {"weights": {"{anna}": 0}}}, "changes.weights.{anna}"),
        ({"changes": {"weights": {"{anna}": 101}}}, "changes.weights.{anna}"),
        ({"changes": {"weights": {"{anna}": None}}}, "changes.weights.{anna}"),
        ({"changes": {"limits": {"{anna}": 101}}}, "changes.limits.{anna}"),
        ({"changes": {"strategy": "best"}}, "changes.strategy"),
        ({"changes": {"roster": ["x"]}}, "changes.roster.0"),
        ({"changes": {"roster": ["{other}"]}}, "changes.roster"),
        ({"changes": {"roster": [], "weights": {"{anna}": 5}}}, "changes.weights"),
    ],
)
def test_what_cannot_be_asked_is_refused(api, idle, anna, fields, field):
    ids = {"{anna}": str(anna.pk), "{other}": str(characters.operator("Vera").pk)}
    body = question(idle, **named(fields, ids))
    response = api.post(WHAT_IF, body, format="json")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [named(field, ids)]
    assert not WhatIf.objects.exists()


def named(thing, ids):
    """With the ids of this test in place of names."""
    if isinstance(thing, dict):
        return {named(key, ids): named(value, ids) for key, value in thing.items()}
    if isinstance(thing, list):
        return [int(ids[one]) if one in ids else one for one in thing]
    for name, pk in ids.items():
        thing = thing.replace(name, pk) if isinstance(thing, str) else thing
    return thing


@pytest.mark.parametrize(
    ("fields", "noun"), [({"source_id": 99_999}, "Source"), ({"changes": {"limits": {"99999": 5}}}, "Operator")]
)
def test_what_does_not_exist_is_not_found(api, idle, fields, noun):
    response = api.post(WHAT_IF, question(idle, **fields), format="json")
    assert (response.status_code, response.json()["detail"]) == (404, f"{noun} 99999 does not exist.")


def test_an_unknown_run_is_not_found(api, db):
    response = api.get(f"{WHAT_IF}/99999")
    assert (response.status_code, response.json()["detail"]) == (404, "What-if 99999 does not exist.")


def test_it_needs_a_management_key(api, bot, settings):
    settings.API_KEYS = "required"
    of_source, of_office = (keys.make_key(name="key", source=source).secret for source in (bot, None))
    body = question(bot)
    assert api.post(WHAT_IF, body, format="json").status_code == 401
    as_bot, as_office = ({"Authorization": f"Bearer {key}"} for key in (of_source, of_office))
    assert api.post(WHAT_IF, body, format="json", headers=as_bot).status_code == 403
    asked = api.post(WHAT_IF, body, format="json", headers=as_office)
    assert asked.status_code == 202
    assert api.get(f"{WHAT_IF}/{asked.json()['id']}", headers=as_bot).status_code == 403
