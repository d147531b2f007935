"""What supervisors are told because it is much worse than usual."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from operators.models import Operator
from routing import lifecycle
from routing.history import event_of
from routing.models import ContactEvent
from routing.report import unusual
from tests import characters

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 30, 10, 10, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=100)


@pytest.fixture
def bot(anna):
    return characters.source("Bot", roster={anna: 10})


def wait(bot, anna, moment, minutes, number):
    """So many contacts that come at this moment and wait so many minutes."""
    with time_machine.travel(moment, tick=False) as clock:
        Operator.objects.update(is_active=False)
        contacts = [characters.contact(bot) for _ in range(number)]
        clock.shift(60 * minutes)
        Operator.objects.update(is_active=True)
        for contact in contacts:
            lifecycle.give_contact(contact_id=contact.pk, operator_id=anna.pk)
            lifecycle.resolve_contact(contact_id=contact.pk)


def usual_weeks(bot, anna, minutes):
    for week in range(1, 5):
        wait(bot, anna, NOW - week * WEEK - HOUR, minutes, 5)


def slow():
    found = unusual.slow_sources(NOW)
    return [(one.name, pytest.approx(one.now, rel=0.1), pytest.approx(one.usual, rel=0.1)) for one in found]


def test_waits_that_have_doubled_are_unusual(anna, bot):
    usual_weeks(bot, anna, 5)
    wait(bot, anna, NOW - HOUR, 12, 10)
    assert slow() == [("Bot", 720, 300)]


@pytest.mark.parametrize(
    ("before", "latest", "number"),
    [
        (10, 15, 10),  # longer, but not twice as long
        (1, 4, 10),  # nobody complains of four minutes
        (5, 20, 9),  # too few to say anything
    ],
)
def test_small_differences_and_few_contacts_are_not(anna, bot, before, latest, number):
    usual_weeks(bot, anna, before)
    wait(bot, anna, NOW - HOUR, latest, number)
    assert slow() == []


def test_a_source_without_a_past_is_compared_with_nothing(anna, bot):
    wait(bot, anna, NOW - HOUR, 30, 10)
    assert slow() == []


def test_another_hour_of_the_week_does_not_count(anna, bot):
    for week in range(1, 5):
        wait(bot, anna, NOW - week * WEEK - 3 * HOUR, 5, 5)
    wait(bot, anna, NOW - HOUR, 20, 10)
    assert slow() == []


def miss(anna, contact, moment, number):
    """So many missed offers, as `time_outs` writes them."""
    for _ in range(number):
        row = event_of(contact, ContactEvent.What.TIMED_OUT, "system", from_operator=anna.pk)
        event = ContactEvent.objects.create(**row.values)
        ContactEvent.objects.filter(pk=event.pk).update(at=moment)


@pytest.mark.parametrize(
    ("before", "latest", "is_told"), [(28, 5, True), (28, 4, False), (84, 5, False), (84, 6, True)]
)
def test_missed_offers_that_have_doubled_are_unusual(anna, bot, before, latest, is_told):
    with time_machine.travel(NOW - 2 * WEEK, tick=False):
        contact = characters.contact(bot)
    miss(anna, contact, NOW - WEEK, before)
    miss(anna, contact, NOW - 2 * HOUR, latest)
    found = [(one.name, one.now, one.usual) for one in unusual.missing_operators(NOW)]
    assert found == ([("Anna", latest, before / 28)] if is_told else [])


def test_a_beginner_is_compared_with_nothing(anna, bot):
    with time_machine.travel(NOW - 2 * HOUR, tick=False):
        contact = characters.contact(bot)
    miss(anna, contact, NOW - 2 * HOUR, 20)
    assert unusual.missing_operators(NOW) == []
