"""On the page of their own contact operators take, give back and resolve it; who comes too late is told who has it."""

import pytest

from accounts.roles import OPERATOR, SUPERVISOR
from operators.models import Operator
from routing import lifecycle, taking
from routing.models import Contact
from tests import characters
from tests.accounts import people
from tests.admin import pages

CONTACTS = "/admin/routing/contact/"
DESK = "/admin/my-contacts/"


@pytest.fixture
def anna(db):
    return characters.operator("Anna", user=people.account("anna", OPERATOR))


@pytest.fixture
def boris(db):
    return characters.operator("Boris", is_active=False)


@pytest.fixture
def browser(anna):
    return people.at_the_browser(anna.user)


@pytest.fixture
def bot(anna, boris):
    return characters.source("Telegram", roster={anna: 10, boris: 10})


@pytest.fixture
def contact(bot):
    return characters.contact(bot)


def press(browser, contact, button):
    return browser.post(f"{CONTACTS}{contact.pk}/{button}/")


def stored(contact):
    return Contact.objects.get(pk=contact.pk)


def buttons(page, contact):
    return [name for name in ("take", "decline_this", "done") if f"/contact/{contact.pk}/{name}" in page.text]


def test_an_untaken_contact_offers_all_three(browser, contact):
    assert buttons(browser.get(pages.page(contact)), contact) == ["take", "decline_this", "done"]


def test_a_taken_contact_is_not_taken_again(browser, contact):
    taking.accept_contact(contact_id=contact.pk)
    assert buttons(browser.get(pages.page(contact)), contact) == ["decline_this", "done"]


def test_one_press_takes_it(browser, contact):
    answer = press(browser, contact, "take")
    assert (answer.status_code, answer["Location"]) == (302, pages.page(contact))
    assert pages.said(answer) == [f"You have taken contact {contact.pk}."]
    assert stored(contact).accepted_at
    assert contact.history.order_by("pk").last().by == "user anna"


def test_one_press_finishes_it(browser, contact):
    assert pages.said(press(browser, contact, "done")) == [f"Contact {contact.pk} is resolved."]
    assert stored(contact).is_resolved


def test_it_is_given_back_with_a_reason(browser, contact):
    answer = pages.press(browser, contact, "decline_this", reason="On lunch")
    assert (answer["HX-Redirect"], stored(contact).status) == (DESK, "waiting")
    assert contact.history.order_by("pk").last().note == "On lunch"


@pytest.mark.parametrize("reason", ["", "x" * 201])
def test_the_reason_may_be_missing_but_not_long(browser, contact, reason):
    pages.press(browser, contact, "decline_this", reason=reason)
    assert stored(contact).status == ("assigned" if reason else "waiting")


@pytest.mark.parametrize("button", ["take", "done", "decline_this"])
def test_who_comes_too_late_is_told_who_has_it(browser, contact, boris, button):
    lifecycle.force_contact(contact_id=contact.pk, operator_id=boris.pk)
    run = pages.press if button == "decline_this" else press
    answer = run(browser, contact, button)
    [message] = pages.said(answer)
    assert answer.get("Location", DESK) == DESK
    assert message == f"Contact {contact.pk}. Boris has this contact now. Nothing was changed."
    assert (stored(contact).operator, stored(contact).accepted_at, stored(contact).is_resolved) == (boris, None, False)


@pytest.mark.parametrize("button", ["take", "done", "decline_this"])
def test_who_never_had_it_learns_nothing(browser, boris, button):
    contact = characters.contact(characters.source(roster={(vera := characters.operator("Vera")): 10}))
    run = pages.press if button == "decline_this" else press
    [message] = pages.said(run(browser, contact, button))
    assert message == "It no longer exists, or is archived."
    assert (stored(contact).operator, stored(contact).is_untaken) == (vera, True)


def test_pressing_twice_changes_nothing_more(browser, contact):
    press(browser, contact, "take")
    press(browser, contact, "take")
    assert contact.history.filter(what="accepted").count() == 1


@pytest.mark.parametrize("button", ["take", "done"])
def test_a_link_presses_nothing(browser, contact, button):
    assert browser.get(f"{CONTACTS}{contact.pk}/{button}/").status_code == 405


def test_without_the_role_nothing_is_pressed(contact):
    guest = people.at_the_browser(people.account("guest"))
    assert press(guest, contact, "take").status_code == 403


def test_supervisors_see_what_is_not_taken(contact, bot):
    taken = characters.contact(bot)
    taking.accept_contact(contact_id=taken.pk)
    vera = people.at_the_browser(people.account("vera", SUPERVISOR))
    assert pages.shown(vera, f"{CONTACTS}?status=untaken") == [contact]
    page = vera.get(f"{CONTACTS}?status=untaken")
    assert page.text.count("not taken yet") >= 1
    assert buttons(page, contact) == []
    assert "Not taken yet" in vera.get(pages.page(contact)).text


def test_a_supervisor_who_answers_too_presses_on_the_page(bot, anna):
    both = people.account("olga", OPERATOR, SUPERVISOR)
    Operator.objects.filter(pk=anna.pk).update(user=both)
    contact = characters.contact(bot)
    browser = people.at_the_browser(both)
    assert buttons(browser.get(pages.page(contact)), contact) == ["take", "decline_this", "done"]
    press(browser, contact, "take")
    assert stored(contact).accepted_at
