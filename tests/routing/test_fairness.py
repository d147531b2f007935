from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine

from routing import fairness, lifecycle, operator_actions
from routing.models import Tally, Upkeep
from tests import characters

pytestmark = pytest.mark.django_db

MORNING = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=100)


@pytest.fixture
def boris():
    return characters.operator("Boris", limit=100)


@pytest.fixture
def bot(anna, boris):
    return characters.source(roster={anna: 10, boris: 30})


def contacts_at(moment, bot, *draws):
    with time_machine.travel(moment, tick=False):
        for draw in draws:
            characters.contact(bot, draw=lambda draw=draw: draw)


def sums(source_id=None, since=None, until=None):
    found = fairness.shares(source_id, since, until)
    return {share.operator_id: (share.assigned, share.expected) for share in found}


def test_expected_is_the_sum_of_the_probabilities(anna, boris, bot):
    contacts_at(MORNING, bot, 0.1, 0.5, 0.6, 0.9)
    mine, his = fairness.distribution()
    assert (mine.assigned, mine.expected, mine.share, mine.configured_share) == (1, 1.0, 0.25, 0.25)
    assert (his.assigned, his.expected, his.share, his.configured_share) == (3, 3.0, 0.75, 0.75)


def test_expectations_follow_duty_and_limits(anna, boris, bot):
    operator_actions.change_operator(operator_id=boris.pk, changes={"is_active": False})
    contacts_at(MORNING, bot, 0.9, 0.9)
    assert sums() == {anna.pk: (2, 2.0), boris.pk: (0, 0.0)}


def test_the_band_is_that_of_independent_trials(bot):
    contacts_at(MORNING, bot, *[0.1] * 12)
    mine, his = fairness.distribution()
    reach = 1.96 * 1.5 + 0.5
    assert [mine.low, mine.high] == pytest.approx([3 - reach, 3 + reach])
    assert (mine.within_chance, his.within_chance) == (False, False)


def test_a_period_has_a_beginning_and_an_end(anna, boris, bot):
    for hours in range(5):
        contacts_at(MORNING + hours * HOUR, bot, 0.1)
    assert sums(since=MORNING + HOUR, until=MORNING + 3 * HOUR)[anna.pk] == (2, 0.5)


@pytest.mark.parametrize("minutes", [0, 20, 45])
def test_tallies_change_no_answer(minutes, anna, boris, bot):
    for hours in range(5):
        contacts_at(MORNING + hours * HOUR, bot, 0.1, 0.9)
    cut = MORNING + timedelta(minutes=minutes)
    periods = [
        {},
        {"since": cut},
        {"until": cut + 3 * HOUR},
        {"since": cut, "until": cut + HOUR / 2},
        {"since": cut + HOUR, "until": cut + 4 * HOUR},
        {"source_id": bot.pk, "since": cut},
    ]
    counted = [sums(**period) for period in periods]
    assert fairness.tally_hours(now=MORNING + 3 * HOUR) == 3
    assert Tally.objects.count() == 6
    assert [sums(**period) for period in periods] == [pytest.approx(before) for before in counted]


def test_an_hour_is_tallied_once_and_only_when_it_is_over(bot):
    contacts_at(MORNING, bot, 0.1)
    ended = MORNING.replace(minute=0) + HOUR
    assert fairness.tally_hours(now=ended + timedelta(minutes=9)) == 0
    assert fairness.tally_hours(now=ended + timedelta(minutes=11)) == 1
    assert fairness.tally_hours(now=ended + timedelta(minutes=12)) == 0
    assert Upkeep.objects.get().tallied_until == ended


def test_one_source_can_be_asked_for(anna, boris, bot):
    other = characters.source(roster={anna: 1})
    contacts_at(MORNING, other, 0.5)
    contacts_at(MORNING, bot, 0.9)
    assert [(share.operator_id, share.assigned) for share in fairness.distribution(source_id=other.pk)] == [
        (anna.pk, 1)
    ]


def test_whoever_asks_tallies_what_is_over(bot):
    contacts_at(MORNING, bot, 0.1)
    fairness.distribution()
    assert Tally.objects.count() == 2


def test_going_back_to_the_same_operator_is_no_decision(anna, bot):
    contacts_at(MORNING, bot, 0.1)
    [contact] = bot.contacts.all()
    lifecycle.resolve_contact(contact_id=contact.pk)
    lifecycle.reopen_contact(contact_id=contact.pk)
    assert sums()[anna.pk] == (1, 0.25)


def test_hours_are_those_of_utc(anna, bot):
    half_past = timezone(timedelta(hours=5, minutes=30))
    for hours in range(3):
        contacts_at(MORNING + hours * HOUR, bot, 0.1)
    cut = (MORNING + HOUR - timedelta(minutes=5)).astimezone(half_past)
    counted = sums(since=cut), sums(until=cut)
    fairness.tally_hours()
    assert (sums(since=cut), sums(until=cut)) == counted
