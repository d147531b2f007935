import pytest

from routing import lifecycle
from tests import characters
from tests.admin import pages


@pytest.fixture
def anna(db):
    return characters.operator("Anna", limit=1)


@pytest.fixture
def boris(db):
    return characters.operator("Boris", limit=1)


@pytest.fixture
def contact(anna, boris):
    """Anna's; Boris could have it as well."""
    return characters.contact(characters.source(roster={anna: 10, boris: 10}), draw=lambda: 0.1)


def holder(contact):
    contact.refresh_from_db()
    return contact.operator


def test_each_state_offers_what_can_be_done(supervisor, contact):
    assert pages.offered(supervisor, contact) == ["resolve_this", "give_this", "reroute_this", "return_this"]
    assert pages.offered(supervisor, characters.contact(characters.source())) == ["give_this", "resolve_this"]
    lifecycle.resolve_contact(contact_id=contact.pk)
    assert pages.offered(supervisor, contact) == ["reopen_this"]


def test_a_contact_is_given_to_somebody(supervisor, contact, boris):
    response = pages.press(supervisor, contact, "give_this", operator=boris.pk)
    assert holder(contact) == boris
    assert pages.said(response) == ["1 contact was assigned to Boris."]
    assert contact.history.get(what="given").by == "user vera"


def test_giving_beyond_the_limit_has_to_be_meant(supervisor, contact, anna, boris):
    characters.contact(contact.source)
    response = pages.press(supervisor, contact, "give_this", operator=boris.pk)
    assert pages.said(response) == [f"{contact}. This operator is at the limit. The contact stays where it is."]
    assert holder(contact) == anna
    pages.press(supervisor, contact, "give_this", operator=boris.pk, force="on")
    assert holder(contact) == boris
    assert characters.load(boris) == 2


def test_nobody_is_chosen_twice_or_from_the_archive(supervisor, contact, boris):
    characters.operator("Left", archived_at=contact.created_at)
    dialog = supervisor.get(pages.button(contact, "give_this")).text
    assert "Boris (0 of 1)" in dialog
    assert "Anna" not in dialog
    assert "Left" not in dialog


def test_giving_to_nobody_asks_again(supervisor, contact, anna):
    assert "This field is required." in pages.press(supervisor, contact, "give_this").text
    assert holder(contact) == anna


def test_a_contact_is_routed_to_somebody_else(supervisor, contact, boris):
    pages.press(supervisor, contact, "reroute_this")
    assert holder(contact) == boris


def test_when_nobody_else_is_free_it_stays(supervisor, contact, anna):
    characters.contact(contact.source)
    response = pages.press(supervisor, contact, "reroute_this")
    assert pages.said(response) == [f"{contact}. No other operator is free. The contact stays where it is."]
    assert holder(contact) == anna


def test_a_contact_goes_back_to_the_queue(supervisor, contact):
    characters.contact(contact.source)
    pages.press(supervisor, contact, "return_this")
    assert holder(contact) is None


def test_that_a_contact_waits_again_is_said(supervisor, contact):
    characters.contact(contact.source)
    response = pages.press(supervisor, contact, "return_this")
    assert pages.said(response) == ["1 contact was returned to the queue."]


def test_that_a_contact_did_not_have_to_wait_is_said(supervisor, contact, boris):
    response = pages.press(supervisor, contact, "return_this")
    assert holder(contact) == boris
    assert pages.said(response) == ["1 contact was returned to the queue and assigned to another operator."]


@pytest.mark.parametrize("action", ["reroute_selected", "return_selected"])
def test_selected_contacts_leave_who_has_them(supervisor, contact, boris, action):
    pages.run(supervisor, action, contact)
    assert holder(contact) == boris


def test_a_resolved_contact_is_not_routed(supervisor, contact):
    lifecycle.resolve_contact(contact_id=contact.pk)
    response = pages.run(supervisor, "reroute_selected", contact)
    assert pages.said(response) == [f"{contact}. It is resolved. Reopen it first."]


def test_refusals_are_in_the_users_language(supervisor, contact):
    characters.contact(contact.source)
    supervisor.cookies["django_language"] = "ru"
    [message] = pages.said(pages.press(supervisor, contact, "reroute_this"))
    assert message.endswith("Других свободных операторов нет. Обращение осталось на месте.")
