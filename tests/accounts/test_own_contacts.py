"""Somebody with the role Operator: their own contacts, and nothing else."""

import pytest

from accounts.roles import OPERATOR, SUPERVISOR
from routing import lifecycle, operator_actions, source_actions
from tests import characters
from tests.accounts import people
from tests.admin import pages

CONTACTS = "/admin/routing/contact/"
DESK = "/admin/my-contacts/"


def on_the_desk(browser):
    return [card.contact for card in browser.get(DESK).context["cards"]]


@pytest.fixture
def anna(db):
    return characters.operator("Anna", user=people.account("anna", OPERATOR))


@pytest.fixture
def browser(anna):
    return people.at_the_browser(anna.user)


@pytest.fixture
def bot(anna):
    return characters.source("Telegram", roster={anna: 10})


@pytest.fixture
def of_boris(db):
    return characters.contact(characters.source("WhatsApp", roster={characters.operator("Boris"): 10}))


@pytest.mark.parametrize("address", ["/admin/", CONTACTS, f"{CONTACTS}?q=7"])
def test_the_first_page_and_the_list_are_the_desk_with_the_open_contacts(browser, bot, address):
    contact, done = characters.contact(bot), characters.contact(bot)
    lifecycle.resolve_contact(contact_id=done.pk)
    page = browser.get(address, follow=True)
    assert page.redirect_chain == [(DESK, 302)]
    assert [card.contact for card in page.context["cards"]] == [contact]


def test_the_desk_holds_nobody_elses_contacts(browser, bot, of_boris):
    mine = characters.contact(bot)
    assert on_the_desk(browser) == [mine]


def test_what_waits_is_nobodys_yet(browser, bot, anna):
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False})
    characters.contact(bot)
    assert on_the_desk(browser) == []


def test_a_colleagues_contact_is_not_there(browser, of_boris):
    answer = browser.get(f"{CONTACTS}{of_boris.pk}/change/", follow=True)
    assert "Perhaps it was deleted" in answer.text
    assert browser.get(f"{CONTACTS}{of_boris.pk}/history/").status_code == 403


@pytest.mark.parametrize("run", [pages.run, lambda client, action, thing: pages.press(client, thing, action)])
def test_a_colleagues_contact_is_not_resolved(browser, of_boris, run):
    run(browser, "resolve_selected" if run is pages.run else "resolve_this", of_boris)
    of_boris.refresh_from_db()
    assert not of_boris.is_resolved


def test_ones_own_contact_is_resolved_and_reopened(browser, bot):
    contact = characters.contact(bot)
    pages.press(browser, contact, "resolve_this")
    contact.refresh_from_db()
    assert contact.is_resolved
    pages.press(browser, contact, "reopen_this")
    contact.refresh_from_db()
    assert contact.history.order_by("pk").values_list("by", flat=True).last() == "user anna"
    assert not contact.is_resolved


def test_only_what_one_may_do_is_offered(browser, bot):
    contact = characters.contact(bot)
    assert pages.offered(browser, contact) == []
    lifecycle.resolve_contact(contact_id=contact.pk)
    assert pages.offered(browser, contact) == ["reopen_this"]


def test_the_page_tells_the_message_and_not_what_colleagues_have_to_do(browser, bot, anna):
    source_actions.set_weight(source_id=bot.pk, operator_id=characters.operator("Boris", is_active=False).pk, weight=5)
    page = browser.get(pages.page(characters.contact(bot, lead_phone="+79991234567", message="Price?"))).text
    assert "Price?" in page
    assert "+79991234567" in page
    assert "Boris" not in page


def test_the_page_leads_nowhere_one_may_not_go(browser, bot):
    page = browser.get(pages.page(characters.contact(bot))).text
    for forbidden in ("leads/lead/", "routing/source/", "operators/operator/", "queue/", "holidays/"):
        assert f"/admin/{forbidden}" not in page


def test_who_has_left_the_operators_has_no_contacts(browser, bot, anna):
    lifecycle.resolve_contact(contact_id=characters.contact(bot).pk)
    operator_actions.archive_operator(operator_id=anna.pk)
    page = browser.get(DESK)
    assert "not linked to an operator" in page.text
    assert "cards" not in page.context


def test_the_role_without_being_an_operator_shows_nothing_but_what_to_ask_for(of_boris):
    guest = people.at_the_browser(people.account("guest", OPERATOR))
    page = guest.get("/admin/", follow=True)
    assert "Your account “guest” is not linked to an operator." in page.text
    assert guest.get(f"{DESK}live/").status_code == 403


def test_being_an_operator_without_the_role_opens_nothing(of_boris):
    user = people.account("guest")
    of_boris.operator.user = user
    of_boris.operator.save()
    browser = people.at_the_browser(user)
    assert {browser.get(address).status_code for address in (CONTACTS, DESK, f"{DESK}live/")} == {403}


def test_a_supervisor_who_answers_too_still_sees_everything(anna, bot, of_boris):
    both = people.account("olga", OPERATOR, SUPERVISOR)
    assert pages.shown(people.at_the_browser(both), f"{CONTACTS}?status=all") == [of_boris]
