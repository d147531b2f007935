import pytest
from django.contrib import messages
from django.contrib.messages import get_messages

from operators.models import Operator
from routing.models import ContactEvent
from tests import characters
from tests.admin import pages


@pytest.fixture
def anna(db):
    """She has three contacts; Boris, who has come back on duty since, has room for two of them."""
    anna, boris = characters.operator("Anna"), characters.operator("Boris", limit=2, is_active=False)
    bot = characters.source(roster={anna: 10, boris: 10})
    for _ in range(3):
        characters.contact(bot)
    Operator.objects.filter(pk=boris.pk).update(is_active=True)
    return anna


def test_handing_over_and_going_off_duty(supervisor, anna):
    response = pages.press(supervisor, anna, "hand_over_this")
    anna.refresh_from_db()
    assert (anna.is_active, anna.current_load) == (False, 0)
    assert pages.said(response) == ["Anna. Handed over: 2, in the queue: 1, kept: 0."]


def test_handing_over_and_staying_on_duty(supervisor, anna):
    response = pages.press(supervisor, anna, "hand_over_on_duty_this")
    anna.refresh_from_db()
    assert (anna.is_active, anna.current_load) == (True, 1)
    assert pages.said(response) == ["Anna. Handed over: 2, in the queue: 0, kept: 1."]


@pytest.mark.parametrize(("action", "stays"), [("hand_over_selected", False), ("hand_over_on_duty_selected", True)])
def test_handing_over_from_the_list(supervisor, anna, action, stays):
    pages.run(supervisor, action, anna)
    anna.refresh_from_db()
    assert anna.is_active is stays
    assert set(ContactEvent.objects.filter(what="handed_over").values_list("by", flat=True)) == {"user vera"}


def test_the_result_is_said_in_russian(supervisor, anna):
    supervisor.cookies["django_language"] = "ru"
    response = pages.press(supervisor, anna, "hand_over_this")
    assert pages.said(response) == ["Anna. Передано: 2, в очереди: 1, осталось: 0."]


def warned(response):
    """Warnings, and nothing else."""
    return [str(one) for one in get_messages(response.wsgi_request) if one.level == messages.WARNING]


def test_that_nobody_else_is_free_is_a_warning(supervisor, anna):
    Operator.objects.exclude(pk=anna.pk).update(is_active=False)
    response = pages.press(supervisor, anna, "hand_over_on_duty_this")
    assert warned(response) == ["Anna. Nothing was handed over: no other operator is free, and 3 contacts stay."]


def test_that_there_was_nothing_to_hand_over_is_a_warning(supervisor):
    response = pages.press(supervisor, characters.operator("Idle"), "hand_over_on_duty_this")
    assert warned(response) == ["Idle. Nothing was handed over: there are no open contacts."]


def test_who_may_only_look_hands_nothing_over(client, anna):
    assert pages.press(client, anna, "hand_over_this").status_code == 302  # to the sign-in page
    anna.refresh_from_db()
    assert anna.current_load == 3
