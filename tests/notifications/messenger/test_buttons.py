"""Buttons call the same functions as the page and the API, for the operator whose chat it is."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from operators.models import Operator
from routing import clock, lifecycle, operator_actions, time_outs
from routing.models import Contact, Source
from tests import characters
from tests.notifications.messenger import courier as people
from tests.notifications.messenger.courier import labels, last_message, link

ANNA, BORIS = 1001, 1002


@pytest.fixture
def server(courier):
    return courier.server


@pytest.fixture
def anna(courier):
    operator = characters.operator("Anna")
    link(courier.server, operator, ANNA)
    return operator


@pytest.fixture
def boris(courier):
    operator = characters.operator("Boris")
    link(courier.server, operator, BORIS)
    return operator


@pytest.fixture
def contact(courier, anna):
    """One with Anna, of which she was told."""
    made = characters.contact(characters.source(roster={anna: 10}))
    courier.deliver()
    return made


def current(contact):
    return Contact.objects.select_related("operator").get(pk=contact.pk)


def test_take_takes_it(server, contact):
    assert people.press(server, ANNA, "Take") == "You have taken it."
    assert current(contact).accepted_at


def test_a_button_pressed_twice_changes_nothing_more(server, contact):
    people.press(server, ANNA, "Take")
    first = current(contact)
    assert people.press(server, ANNA, "Take") == "You have taken it."
    assert current(contact).accepted_at == first.accepted_at


def test_who_takes_what_went_elsewhere_is_told_who_has_it(server, contact, boris):
    lifecycle.give_contact(contact_id=contact.pk, operator_id=boris.pk)
    assert people.press(server, ANNA, "Take") == "Boris has it."
    assert current(contact).accepted_at is None


def test_who_takes_it_after_the_time_out_is_told_who_has_it(server, contact, anna, boris):
    contact.source.roster.create(operator=boris, weight=10)
    Source.objects.update(accept_within=60)
    Contact.objects.update(due_at=timezone.now())
    time_outs.time_out_due(timezone.now())
    assert people.press(server, ANNA, "Take") == "Boris has it."
    assert current(contact).accepted_at is None


def test_what_nobody_else_can_take_goes_back_into_the_queue(server, contact):
    assert people.press(server, ANNA, "Cannot") == "It is back in the queue."
    assert current(contact).operator is None


def test_done_frees_the_place(server, contact, anna):
    assert people.press(server, ANNA, "Done") == "Done."
    assert characters.load(anna) == 0


def test_a_done_contact_cannot_be_taken(server, contact):
    lifecycle.resolve_contact(contact_id=contact.pk)
    assert people.press(server, ANNA, "Take") == "It is done already."


def test_a_stranger_can_press_nothing(server, contact):
    assert people.press(server, ANNA, "Done", by=666) == "This button is not for you."
    assert not current(contact).is_resolved


def test_nobody_learns_of_contacts_that_they_were_not_told_of(server, contact, boris, courier):
    characters.contact(characters.source(roster={boris: 10}))
    courier.deliver()
    message = next(iter(server.chats[BORIS]))
    query = server.press(BORIS, message, f"done:{contact.pk}")
    people.read(server)
    assert server.answers[query]["text"] == "This button is not for you."
    assert not current(contact).is_resolved


@pytest.mark.parametrize("data", ["", "take", "take:", "take:x", "take:" + "9" * 30, "eat:{pk}", ":{pk}"])
def test_rubbish_is_answered(server, contact, data):
    query = server.press(ANNA, 1, data.format(pk=contact.pk))
    people.read(server)
    assert "button" in server.answers[query]["text"]


def end_pauses():
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        clock.tick()


def test_pause_takes_off_duty_and_ends_by_itself(server, contact, anna):
    assert people.press(server, ANNA, "Pause 30 min") == "You are off duty for 30 minutes."
    assert not Operator.objects.get(pk=anna.pk).is_active
    end_pauses()
    assert Operator.objects.get(pk=anna.pk).is_active


def test_a_pause_does_not_undo_what_somebody_has_changed(server, contact, anna):
    people.press(server, ANNA, "Pause 30 min")
    for is_active in (True, False):
        operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": is_active})
    end_pauses()
    assert not Operator.objects.get(pk=anna.pk).is_active


def test_who_is_off_duty_already_cannot_pause(server, contact, anna):
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False})
    assert people.press(server, ANNA, "Pause 30 min") == "You are off duty already."
    assert Operator.objects.get(pk=anna.pk).paused_until is None


def test_a_message_whose_answer_was_lost_is_edited_too(server, courier, anna):
    server.fail_next("sendMessage", "lost")
    made = characters.contact(characters.source(roster={anna: 10}))
    courier.deliver_now()
    courier.deliver_now()
    assert len(server.messages(ANNA)) == 2
    query = server.press(ANNA, next(iter(server.chats[ANNA])), f"take:{made.pk}")
    people.read(server)
    assert server.answers[query]["text"] == "You have taken it."
    courier.deliver()
    assert [labels(one) for one in server.messages(ANNA)] == [["Done", "Cannot"]] * 2


def test_the_history_names_who_pressed(server, contact, anna):
    people.press(server, ANNA, "Done")
    assert contact.history.get(what="resolved").by == "operator Anna"
    assert last_message(server, ANNA)
