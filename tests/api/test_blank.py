"""What shows nothing is blank, wherever it comes in."""

import pytest

from leads.models import Lead
from tests import characters

INVISIBLE = ["\u200b", "\u3164", "\u2800", "\u202a\u202c", "\ufeff", "\ufe0f"]


@pytest.mark.parametrize("blank", INVISIBLE)
@pytest.mark.parametrize(("path", "others"), [("operators", {"max_load": 5}), ("sources", {})])
def test_a_name_must_show_something(api, path, others, blank):
    answer = api.post(f"/api/v1/{path}", {"name": blank, **others})
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("name", "blank")]


@pytest.mark.parametrize(("path", "others"), [("operators", {"max_load": 5}), ("sources", {})])
def test_what_shows_nothing_around_a_name_is_not_part_of_it(api, path, others):
    assert api.post(f"/api/v1/{path}", {"name": "\u200bАнна\u2060 ", **others}).json()["name"] == "Анна"


def test_two_sources_do_not_have_names_that_look_the_same(api):
    answers = [api.post("/api/v1/sources", {"name": name}).status_code for name in ("Bot", "Bot\u200b")]
    assert answers == [201, 409]


@pytest.mark.parametrize("blank", INVISIBLE)
def test_a_name_of_nothing_replaces_no_name(api, blank):
    bot = characters.source()
    for name in ("Иван Петров", blank):
        body = {"source_id": bot.pk, "lead_phone": "+79991234567", "lead_name": name}
        assert api.post("/api/v1/contacts", body).json()["warnings"] == []
    assert Lead.objects.get().name == "Иван Петров"


@pytest.mark.parametrize("blank", INVISIBLE)
def test_an_identity_of_nothing_is_not_given(api, blank):
    bot = characters.source()
    body = {"source_id": bot.pk, "lead_phone": blank, "lead_email": blank, "lead_external_id": blank}
    assert [error["code"] for error in api.post("/api/v1/contacts", body).json()["errors"]] == ["required"] * 3


@pytest.mark.parametrize("blank", INVISIBLE)
def test_a_correction_to_nothing_removes(api, blank):
    lead = characters.contact(characters.source(), lead_email="a@example.com", lead_name="Иван").lead_id
    body = api.patch(f"/api/v1/leads/{lead}", {"name": blank, "email": blank}).json()
    assert (body["name"], body["email"]) == (None, None)


@pytest.mark.parametrize("blank", INVISIBLE)
def test_a_description_of_nothing_is_empty(api, blank):
    assert api.post("/api/v1/sources", {"name": "Bot", "description": blank}).json()["description"] == ""
