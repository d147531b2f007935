import pytest

from routing import operator_actions, source_actions
from routing.models import Source
from tests import characters
from tests.admin import pages


@pytest.fixture
def save(supervisor):
    """Sends a source's page with these fields changed."""

    def save(source, changes):
        data = pages.filled(supervisor.get(pages.page(source))) | changes
        return supervisor.post(pages.page(source), data)

    return save


def test_saving_a_page_without_a_change_calls_nothing(save, monkeypatch):
    monkeypatch.setattr(source_actions, "change_source", lambda **call: pytest.fail("called"))
    save(characters.source(roster={characters.operator("Anna"): 10}), {})


def test_archived_operators_are_not_offered_for_a_roster(supervisor):
    left, anna = characters.operator("Left"), characters.operator("Anna")
    operator_actions.archive_operator(operator_id=left.pk)
    choice = {"app_label": "routing", "model_name": "rosterentry", "field_name": "operator", "term": ""}
    offered = supervisor.get("/admin/autocomplete/", choice).json()["results"]
    assert [one["id"] for one in offered] == [str(anna.pk)]


def test_a_name_that_is_taken_is_a_form_error(save):
    characters.source("Telegram")
    response = save(characters.source("WhatsApp"), {"name": "Telegram"})
    assert response.context["errors"] == [["A source with this name already exists."]]


def test_a_name_that_was_taken_a_moment_ago_is_a_message(save, monkeypatch):
    bot = characters.source("WhatsApp")
    characters.source("Telegram")
    monkeypatch.setattr("routing.admin.sources.SourceForm.clean_name", lambda form: form.cleaned_data["name"])
    response = save(bot, {"name": "Telegram"})
    assert pages.said(response) == ["A source with this name already exists."]


def test_the_name_of_an_archived_source_is_free_again(save):
    closed, bot = characters.source("Telegram"), characters.source("WhatsApp")
    source_actions.archive_source(source_id=closed.pk)
    save(bot, {"name": "Telegram"})
    bot.refresh_from_db()
    assert bot.name == "Telegram"


def test_a_new_source_leads_to_its_page_which_says_that_nobody_is_on_the_roster(supervisor):
    data = pages.filled(supervisor.get(pages.adding(Source))) | {"name": "Telegram"}
    response = supervisor.post(pages.adding(Source), data)
    made = Source.objects.get()
    assert response.url == pages.page(made)
    assert "Telegram: nobody is on the roster." in supervisor.get(response.url).text


def test_how_a_source_writes_phones_is_set_on_its_page(save):
    bot = characters.source()
    save(bot, {"phone_format": "international", "unreadable_phones": "keep"})
    bot.refresh_from_db()
    assert (bot.phone_format, bot.unreadable_phones) == ("international", "keep")
