from datetime import UTC, datetime, timedelta, timezone

import pytest
import time_machine
from django.core.management import call_command

from routing import fairness, lifecycle, operator_actions, source_actions, tallies
from routing.models import ContactEvent, Tally, Upkeep
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
    return {share.operator_id: (share.assigned, round(share.expected, 9)) for share in found}


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
    assert tallies.tally_hours(now=MORNING + 3 * HOUR) == 3
    assert Tally.objects.count() == 6
    assert [sums(**period) for period in periods] == [pytest.approx(before) for before in counted]


def test_an_hour_is_tallied_once_and_only_when_it_is_over(bot):
    contacts_at(MORNING, bot, 0.1)
    ended = MORNING.replace(minute=0) + HOUR
    assert tallies.tally_hours(now=ended + timedelta(minutes=9)) == 0
    assert tallies.tally_hours(now=ended + timedelta(minutes=11)) == 1
    assert tallies.tally_hours(now=ended + timedelta(minutes=12)) == 0
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
    tallies.tally_hours()
    assert (sums(since=cut), sums(until=cut)) == counted


def reasons(bot, operator):
    """The reasons that count, in contacts; they add up to the difference from the weights."""
    [share] = [one for one in fairness.shares(bot.pk, None, None) if one.operator_id == operator.pk]
    assert sum(share.reasons.values()) == pytest.approx(share.assigned + share.by_hand - share.by_weight)
    return {name: round(number, 6) for name, number in share.reasons.items() if abs(number) > 1e-6}


def test_whoever_is_off_duty_loses_what_the_others_gain(anna, boris, bot):
    operator_actions.change_operator(operator_id=boris.pk, changes={"is_active": False})
    contacts_at(MORNING, bot, 0.9, 0.9)
    assert (reasons(bot, anna), reasons(bot, boris)) == ({"duty": 1.5}, {"duty": -1.5})


def test_whoever_is_full_loses_what_the_others_gain(anna, boris, bot):
    operator_actions.change_operator(operator_id=boris.pk, changes={"max_load": 1})
    contacts_at(MORNING, bot, 0.9, 0.9)
    assert (reasons(bot, anna), reasons(bot, boris)) == (
        {"limit": 0.75, "chance": -0.25},
        {"limit": -0.75, "chance": 0.25},
    )


def test_known_clients_are_a_reason(anna, boris, bot):
    source_actions.change_source(source_id=bot.pk, changes={"is_sticky": True})
    for _ in range(3):
        characters.contact(bot, lead_phone="+79990000001", draw=lambda: 0.1)
    assert reasons(bot, anna) == {"sticky": 1.5, "chance": 0.75}
    assert fairness.shares(bot.pk, None, None)[0].expected == pytest.approx(2.25)


def test_the_lowest_load_is_a_reason(anna, boris, bot):
    source_actions.change_source(source_id=bot.pk, changes={"strategy": "least_loaded"})
    contacts_at(MORNING, bot, 0.1, 0.1)
    assert reasons(bot, anna) == {"load": 0.5}


def test_what_was_given_by_hand_is_a_reason_in_tallies_too(anna, boris, bot):
    with time_machine.travel(MORNING, tick=False):
        contact = characters.contact(bot, draw=lambda: 0.1)
        lifecycle.give_contact(contact_id=contact.pk, operator_id=boris.pk)
    before = reasons(bot, boris)
    assert before == {"by_hand": 1.0, "chance": -0.75}
    assert tallies.tally_hours() == 1
    assert reasons(bot, boris) == before


def test_whoever_gave_the_contact_back_is_a_reason(anna, boris, bot):
    operator_actions.change_operator(operator_id=boris.pk, changes={"is_active": False})
    contact = characters.contact(bot)
    operator_actions.change_operator(operator_id=boris.pk, changes={"is_active": True})
    lifecycle.return_contact(contact_id=contact.pk)
    assert lifecycle.find_contact(contact.pk).operator_id == boris.pk
    assert reasons(bot, anna) == {"duty": 0.75, "given_back": -0.25}


def test_smooth_is_measured_by_the_weights_and_not_by_itself(anna, boris, bot):
    source_actions.change_source(source_id=bot.pk, changes={"strategy": "smooth"})
    for hours in range(3):
        contacts_at(MORNING + hours * HOUR, bot, *[0.0] * 4)
    hers, his = fairness.shares(bot.pk, None, None)
    assert (hers.assigned, round(hers.expected, 9), round(his.expected, 9)) == (3, 3.0, 9.0)
    assert (hers.verdict, hers.p_value) == ("fair", None)
    tallies.tally_hours()
    later = fairness.shares(bot.pk, None, None)[0]
    assert (later.low, later.high) == pytest.approx((hers.low, hers.high))


def test_smooth_that_gives_somebody_too_many_is_unfair(anna, boris, bot):
    """As a wrong rule would store it."""
    source_actions.change_source(source_id=bot.pk, changes={"strategy": "smooth"})
    contacts_at(MORNING, bot, *[0.0] * 24)
    ContactEvent.objects.update(to_operator=anna)
    hers, his = fairness.shares(bot.pk, None, None)
    assert (hers.verdict, hers.within_chance, his.within_chance) == ("unfair", False, False)


def test_evidence_that_cannot_be_read_stops_neither_tally_nor_report(anna, bot, caplog):
    contacts_at(MORNING, bot, 0.1, 0.1, 0.1)
    broken = [b"", b"\x09", b"\x01broken"]
    for event, evidence in zip(ContactEvent.objects.all(), broken, strict=True):
        ContactEvent.objects.filter(pk=event.pk).update(evidence=evidence)
    contacts_at(MORNING, bot, 0.1)
    assert sums()[anna.pk] == (1, 0.25)
    assert tallies.tally_hours() == 1
    assert sums()[anna.pk] == (1, 0.25)
    assert "cannot be read" in caplog.text


def test_tallies_can_be_made_again(anna, bot):
    contacts_at(MORNING, bot, 0.1)
    tallies.tally_hours()
    Tally.objects.update(assigned=7)
    call_command("route_waiting", "--tally-again")
    assert sums()[anna.pk] == (1, 0.25)
