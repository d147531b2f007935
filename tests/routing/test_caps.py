"""Caps: an operator gets no more by the rule than so many contacts in an hour and in a day."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from core.errors import Conflict
from leads import batch
from operators import caps
from operators.load import lock_operators
from operators.models import Operator
from routing import cap_edges, clock, explanation, fairness, invariants, lifecycle, operator_actions, taking
from routing.models import Contact, Strategy
from tests import characters

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def at():
    """The clock of this test. It stands still until it is moved."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def anna(at):
    return characters.operator("Anna", limit=100, max_per_hour=2)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


def change(operator, **changes):
    return operator_actions.change_operator(operator_id=operator.pk, changes=changes)


def fresh(operator):
    return Operator.objects.get(pk=operator.pk)


def register(bot, number):
    return [characters.contact(bot) for _ in range(number)]


def test_the_third_contact_of_the_hour_waits_until_the_next_one(at, anna, bot):
    third = register(bot, 3)[2]
    assert third.waiting_reason == "all_capped"
    assert fresh(anna).capped_until == datetime(2026, 3, 2, 13, tzinfo=UTC)
    at.move_to(datetime(2026, 3, 2, 13, tzinfo=UTC))
    clock.tick()
    assert lifecycle.find_contact(third.pk).operator_id == anna.pk
    assert fresh(anna).in_hour == 1
    assert characters.findings() == []


def test_a_cap_of_the_day_lasts_until_midnight(at, anna, bot):
    change(anna, max_per_hour=None, max_per_day=3)
    register(bot, 2)
    at.shift(HOUR)
    register(bot, 2)
    assert fresh(anna).capped_until == datetime(2026, 3, 3, tzinfo=UTC)
    assert characters.load(anna) == 3


def test_of_two_caps_that_are_reached_the_later_end_counts(anna, bot):
    change(anna, max_per_day=2)
    register(bot, 2)
    assert fresh(anna).capped_until == datetime(2026, 3, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "noon", "end"),
    [
        ("Europe/Berlin", datetime(2026, 10, 24, 22, 30, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 3, 28, 23, 30, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("Asia/Kolkata", datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 6, 1, 18, 30, tzinfo=UTC)),
    ],
)
def test_the_day_is_that_of_the_time_zone_of_the_service(at, settings, anna, bot, zone, noon, end):
    settings.TIME_ZONE = zone
    at.move_to(noon)
    change(anna, max_per_hour=None, max_per_day=1)
    register(bot, 1)
    assert fresh(anna).capped_until == end


def test_resolving_gives_nothing_back(anna, bot):
    for contact in register(bot, 2):
        lifecycle.resolve_contact(contact_id=contact.pk)
    assert characters.contact(bot).status == "waiting"


def test_what_is_given_by_hand_counts_and_is_not_refused(anna, bot):
    contacts = register(bot, 4)
    given = lifecycle.give_contact(contact_id=contacts[2].pk, operator_id=anna.pk)
    lifecycle.give_contact(contact_id=contacts[3].pk, operator_id=anna.pk)
    assert not given.is_forced
    assert fresh(anna).in_hour == 4
    assert characters.findings() == []


def test_off_duty_is_refused_by_hand_also_of_somebody_capped(anna, bot):
    contact = register(bot, 3)[2]
    change(anna, is_active=False)
    with pytest.raises(Conflict, match="off duty"):
        lifecycle.give_contact(contact_id=contact.pk, operator_id=anna.pk)


def test_a_batch_keeps_the_cap(anna, bot):
    items = [{"source_id": bot.pk, "lead_phone": characters.somebody_new()} for _ in range(5)]
    batch.register_contacts(items=items)
    reasons = Contact.objects.order_by("pk").values_list("waiting_reason", flat=True)
    assert list(reasons) == [None, None, *["all_capped"] * 3]
    assert fresh(anna).in_hour == 2
    assert characters.findings() == []


def test_what_is_handed_over_counts(anna, bot):
    leaving = characters.operator("Leaving")
    other = characters.source(roster={leaving: 10})
    register(other, 3)
    other.roster.create(operator=anna, weight=10)
    count = operator_actions.hand_over(operator_id=leaving.pk)
    assert (count.reassigned, count.queued) == (2, 1)
    assert fresh(anna).in_hour == 2
    assert characters.findings() == []


def test_what_is_reopened_counts(anna, bot):
    contact = characters.contact(bot)
    lifecycle.resolve_contact(contact_id=contact.pk)
    lifecycle.reopen_contact(contact_id=contact.pk)
    assert fresh(anna).in_hour == 2
    lifecycle.resolve_contact(contact_id=contact.pk)
    assert lifecycle.reopen_contact(contact_id=contact.pk).waiting_reason == "all_capped"
    assert characters.findings() == []


def test_what_another_declines_counts(anna, bot):
    boris = characters.operator("Boris")
    other = characters.source(roster={boris: 10})
    contact = characters.contact(other)
    other.roster.create(operator=anna, weight=10)
    assert taking.decline_contact(contact_id=contact.pk).operator_id == anna.pk
    assert fresh(anna).in_hour == 1
    assert characters.findings() == []


def test_a_cap_that_is_set_later_counts_from_the_begin_of_the_hour(at, anna, bot):
    change(anna, max_per_hour=None)
    register(bot, 3)
    at.shift(HOUR)
    contacts = register(bot, 2)
    lifecycle.resolve_contact(contact_id=contacts[0].pk)
    lifecycle.reopen_contact(contact_id=contacts[0].pk)
    at.shift(timedelta(minutes=5))
    changed = change(anna, max_per_hour=4, max_per_day=6)
    assert (changed.in_hour, changed.in_day) == (3, 6)
    assert changed.capped_until == datetime(2026, 3, 3, tzinfo=UTC)
    assert characters.findings() == []


def test_a_cap_below_the_count_acts_at_once_and_a_higher_one_as_well(anna, bot):
    register(bot, 2)
    change(anna, max_per_hour=1)
    waits = characters.contact(bot)
    assert waits.waiting_reason == "all_capped"
    change(anna, max_per_hour=3)
    assert lifecycle.find_contact(waits.pk).operator_id == anna.pk
    assert characters.findings() == []


def test_a_cap_that_is_cleared_leaves_nothing_to_count(anna, bot):
    waits = register(bot, 3)[2]
    changed = change(anna, max_per_hour=None)
    assert lifecycle.find_contact(waits.pk).operator_id == anna.pk
    assert [getattr(changed, name) for name in caps.COUNTED] == [None, 0, None, 0, None]


def test_for_operators_without_caps_nothing_is_counted(at):
    boris = characters.operator("Boris")
    register(characters.source(roster={boris: 1}), 2)
    assert fresh(boris).counted_hour is None


def test_a_host_whose_clock_is_late_counts_in_the_hour_that_has_begun(at, anna, bot):
    at.move_to(datetime(2026, 3, 2, 13, 0, 10, tzinfo=UTC))
    register(bot, 1)
    at.move_to(datetime(2026, 3, 2, 12, 59, 40, tzinfo=UTC))
    register(bot, 1)
    assert fresh(anna).capped_until == datetime(2026, 3, 2, 14, tzinfo=UTC)


def test_a_clock_that_was_far_ahead_is_forgotten(at, anna, bot):
    Operator.objects.update(counted_hour=NOON + 100 * HOUR, in_hour=1)
    register(bot, 1)
    assert fresh(anna).in_hour == 1


def test_two_clocks_end_a_cap_once(at, anna, bot):
    register(bot, 4)
    at.shift(HOUR)
    clock.tick()
    clock.tick()
    assert characters.load(anna) == 4
    assert fresh(anna).in_hour == 2


def test_an_end_that_another_one_has_moved_is_left_alone(at, anna, bot, monkeypatch):
    """The clock looks again under the lock."""
    register(bot, 2)
    at.shift(HOUR)
    later = datetime(2026, 3, 3, tzinfo=UTC)

    def lock_late(operator_ids):
        Operator.objects.filter(pk=anna.pk).update(capped_until=later)
        return lock_operators(operator_ids)

    monkeypatch.setattr(cap_edges, "lock_operators", lock_late)
    clock.tick()
    assert fresh(anna).capped_until == later


@pytest.mark.parametrize("boris_is", [{"max_load": 1, "current_load": 1}, {"is_active": False}])
def test_capped_and_something_else_is_a_mixture(anna, bot, boris_is):
    boris = characters.operator("Boris", limit=1)
    register(bot, 2)
    Operator.objects.filter(pk=boris.pk).update(**boris_is)
    bot.roster.create(operator=boris, weight=10)
    assert characters.contact(bot).waiting_reason == "none_available"


def test_the_decision_names_who_is_capped_and_when_the_next_place_opens(anna, bot):
    contact = register(bot, 3)[2]
    why = explanation.explain_decision(contact_id=contact.pk)
    assert [one.reason for one in why.candidates] == ["capped"]
    assert why.next_place_at == datetime(2026, 3, 2, 13, tzinfo=UTC)
    assert "Next place at" in why.text
    assert list(invariants.wrong_decisions()) == []


def test_an_assigned_contact_needs_no_next_place(anna, bot):
    why = explanation.explain_decision(contact_id=register(bot, 2)[0].pk)
    assert why.next_place_at is None


def test_what_caps_cost_one_is_named_by_the_account_of_shares(anna, bot):
    boris = characters.operator("Boris", limit=100)
    bot.roster.create(operator=boris, weight=10)
    for _ in range(12):
        characters.contact(bot, draw=lambda: 0.0)
    shares = {share.operator_id: share for share in fairness.distribution(source_id=bot.pk)}
    assert shares[anna.pk].reasons["limit"] < -1
    assert shares[boris.pk].reasons["limit"] > 1
    assert shares[anna.pk].verdict == "fair"


def test_in_turn_somebody_who_was_capped_comes_back_level(at, anna, bot):
    boris = characters.operator("Boris", limit=100)
    bot.roster.create(operator=boris, weight=10)
    type(bot).objects.update(strategy=Strategy.SMOOTH)
    register(bot, 14)
    assert characters.load(anna) == 2
    at.shift(HOUR)
    clock.tick()
    Operator.objects.filter(pk=anna.pk).update(max_per_hour=100)
    register(bot, 4)
    assert characters.load(anna) == 4


def test_the_check_finds_counts_that_are_not_those_of_the_history(anna, bot):
    register(bot, 1)
    Operator.objects.update(in_hour=2)
    assert len(characters.findings()) == 1
    [wrong] = invariants.wrong_caps()
    invariants.mend_caps(wrong.operator_id)
    assert characters.findings() == []
    assert fresh(anna).in_hour == 1


def test_the_check_finds_a_cap_that_is_reached_without_effect(anna, bot):
    register(bot, 2)
    Operator.objects.update(capped_until=None)
    assert "not as the history says" in characters.findings()[0]


def test_a_clock_that_is_set_back_into_the_hour_before_goes_on_counting_the_one_that_has_begun(at, anna, bot):
    at.move_to(datetime(2026, 3, 2, 13, 1, tzinfo=UTC))
    register(bot, 1)
    at.move_to(datetime(2026, 3, 2, 12, 54, tzinfo=UTC))
    register(bot, 1)
    at.move_to(datetime(2026, 3, 2, 13, 3, tzinfo=UTC))
    assert register(bot, 1)[0].waiting_reason == "all_capped"
    assert fresh(anna).in_hour == 2
    assert characters.findings() == []


@pytest.mark.parametrize("cap_before", [2, None], ids=["capped", "without-a-cap"])
def test_a_cap_that_changes_while_the_clock_is_set_back_counts_on(at, anna, bot, cap_before):
    Operator.objects.filter(pk=anna.pk).update(max_per_hour=cap_before)
    register(bot, 1)
    at.move_to(datetime(2026, 3, 2, 13, 1, tzinfo=UTC))
    register(bot, 1)
    at.move_to(datetime(2026, 3, 2, 12, 54, tzinfo=UTC))
    assert characters.findings() == []
    change(anna, max_per_hour=9)
    assert characters.findings() == []
    register(bot, 1)
    at.move_to(datetime(2026, 3, 2, 13, 3, tzinfo=UTC))
    register(bot, 1)
    assert fresh(anna).in_hour == (3 if cap_before else 1)
    assert characters.findings() == []
