import pytest
from django.utils import translation

from core.changes.models import Via
from core.changes.recording import Author
from routing import explanation, lifecycle, operator_actions, source_actions
from routing.models import Contact, ContactEvent
from tests import characters
from tests.admin import pages


@pytest.fixture
def told(db):
    """A contact to which everything has happened."""
    anna, boris = characters.operator("Анна"), characters.operator("Борис")
    bot = characters.source(roster={anna: 10, boris: 30})
    contact = characters.contact(bot, draw=lambda: 0.1, by="API")
    lifecycle.give_contact(contact_id=contact.pk, operator_id=boris.pk, by="user maria")
    lifecycle.resolve_contact(contact_id=contact.pk, by="key bot")
    lifecycle.reopen_contact(contact_id=contact.pk, by="API")
    operator_actions.hand_over(operator_id=boris.pk, author=Author("user maria", Via.PAGE))
    lifecycle.return_contact(contact_id=contact.pk, by="user maria")
    return contact


def test_the_page_says_why(supervisor):
    anna, boris = characters.operator("Anna"), characters.operator("Boris", is_active=False)
    page = supervisor.get(pages.page(characters.contact(characters.source(roster={anna: 10, boris: 30}))))
    assert page.context["why"].endswith("with a probability of 100%; 1 of 2 were not available.")
    chances = [(row[1], row[2], row[3]) for row in page.context["candidates"]["rows"]]
    assert chances == [(10, "0 of 10", "100%"), (30, "0 of 10", "off duty")]


def test_the_page_says_why_nobody(supervisor):
    page = supervisor.get(pages.page(characters.contact(characters.source())))
    assert "Not assigned: the source has no roster." in page.text


def test_the_page_tells_the_history_newest_last(supervisor, told):
    sentences = [line["sentence"] for line in supervisor.get(pages.page(told)).context["history"]]
    assert [who for line in sentences for who in ("API", "user maria", "key bot") if who in line] == [
        *("API", "user maria", "key bot", "API", "user maria", "user maria")
    ]
    assert sentences[0] == "Registered by API: to Анна."


def test_the_history_tells_who_did_it_once(supervisor, told):
    page = supervisor.get(pages.page(told)).text
    assert page.count("key bot") == 1


def test_the_history_is_russian_too(told):
    with translation.override("ru"):
        lines = [explanation.event_text(event) for event in explanation.list_events(contact_id=told.pk)]
    assert lines == [
        "Зарегистрировано: API → Анна.",
        "Назначено вручную: Анна → Борис (пользователь maria).",
        "Завершено (ключ bot), до этого: Борис.",
        "Открыто снова: API → Борис.",
        "Передано: Борис → Анна (пользователь maria).",
        "Возвращено в очередь: Анна → очередь (пользователь maria).",
    ]


@pytest.mark.parametrize("what", ContactEvent.What.values)
@pytest.mark.parametrize("reason", [None, *Contact.Waiting.values])
def test_every_line_can_be_told_in_russian(what, reason):
    with translation.override("ru"):
        line = explanation.event_text(ContactEvent(what=what, reason=reason, by="system"))
    assert not set(line) & set("abcdefghijklmnopqrstuvwxyz%")


@pytest.mark.parametrize("strategy", ["weighted_random", "smooth", "least_loaded"])
def test_every_strategy_is_explained_in_russian(db, strategy):
    bot = characters.source(roster={characters.operator("Анна"): 10})
    source_actions.change_source(source_id=bot.pk, changes={"strategy": strategy})
    with translation.override("ru"):
        text = explanation.explain_decision(contact_id=characters.contact(bot).pk).text
    assert text.endswith("Анна, вероятность 100\u00a0%.")


def test_the_api_speaks_the_language_of_the_service_whoever_came_before(supervisor, api, told):
    supervisor.get(pages.page(told), headers={"Accept-Language": "ru"})
    lines = api.get(f"/api/v1/contacts/{told.pk}/history").json()
    assert lines[0]["text"] == "Registered by API: to Анна."


def test_hundreds_of_candidates_do_not_fill_the_page(supervisor):
    roster = {characters.operator(f"Operator {number}"): 10 for number in range(25)}
    page = supervisor.get(pages.page(characters.contact(characters.source(roster=roster))))
    assert len(page.context["candidates"]["rows"]) == 20
    assert "And 5 more." in page.text
