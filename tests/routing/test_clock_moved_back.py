"""A clock that is wrong for a while breaks nothing for good: no rule asks what time it is, and the notes of how far the
work in the background has come heal."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from leads import idempotency, registration
from operators.models import Operator
from routing import (
    clock,
    duty_edges,
    fairness,
    lifecycle,
    opening_hours,
    operator_actions,
    queue,
    source_actions,
    tallies,
)
from routing.models import Contact, Source, Tally, Upkeep
from tests import characters

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(days=2)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AHEAD = 365 * DAY


def test_a_contact_of_tomorrow_can_be_resolved_today():
    anna = characters.operator("Anna")
    bot = characters.source(roster={anna: 10})
    with time_machine.travel(NOW):
        contact = characters.contact(bot)
    with time_machine.travel(EARLIER):
        lifecycle.resolve_contact(contact_id=contact.pk)
        lifecycle.reopen_contact(contact_id=contact.pk)
        lifecycle.resolve_contact(contact_id=contact.pk)
    assert characters.load(anna) == 0


def test_the_queue_keeps_its_order():
    bot = characters.source()
    with time_machine.travel(NOW):
        first = characters.contact(bot)
    with time_machine.travel(EARLIER):
        second = characters.contact(bot)
        anna = characters.operator("Anna", limit=1)
        source_actions.set_weight(source_id=bot.pk, operator_id=anna.pk, weight=10)
    assert Contact.objects.get(pk=first.pk).operator_id == anna.pk
    assert Contact.objects.get(pk=second.pk).operator_id is None


def test_sweeping_tallying_and_checking_go_on():
    anna = characters.operator("Anna")
    bot = characters.source(roster={anna: 10})
    with time_machine.travel(NOW):
        characters.contact(bot)
        queue.sweep_queue()
        tallies.tally_hours()
    with time_machine.travel(EARLIER):
        registration.register_contact(source_id=bot.pk, lead_phone=characters.somebody_new())
        queue.sweep_queue()
        tallies.tally_hours()
        assert characters.findings() == []
    with time_machine.travel(NOW):
        tallies.tally_hours()
        assert characters.findings() == []


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=100)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


def prune_at(moment):
    return idempotency.forget_old_keys(older_than=moment - 30 * DAY)


def register_at(moment, bot, **asked):
    with time_machine.travel(moment):
        return characters.contact(bot, **asked)


def test_keys_that_came_after_a_clock_was_ahead_are_forgotten_in_time(bot):
    register_at(NOW - DAY, bot, idempotency_key="before")
    prune_at(NOW + AHEAD)
    register_at(NOW, bot, idempotency_key="after")
    assert [prune_at(NOW + days * DAY) for days in (1, 29, 31)] == [0, 0, 1]


def test_they_are_too_when_keys_came_and_went_while_it_was_ahead(bot):
    register_at(NOW + AHEAD, bot, idempotency_key="ahead")
    assert prune_at(NOW + AHEAD + 31 * DAY) == 1
    register_at(NOW, bot, idempotency_key="after")
    assert [prune_at(NOW + days * DAY) for days in (29, 31)] == [0, 1]


def test_a_note_from_the_future_counts_for_nothing(bot):
    Upkeep.objects.update_or_create(pk=1, defaults={"keys_forgotten_until": NOW + AHEAD})
    register_at(NOW, bot, idempotency_key="after")
    assert prune_at(NOW + 31 * DAY) == 1
    assert Upkeep.objects.get().keys_forgotten_until == Contact.objects.get().created_at


def assigned(since=None, until=None):
    return sum(share.assigned for share in fairness.shares(None, since, until))


def tallied():
    return sum(Tally.objects.values_list("assigned", flat=True))


@pytest.mark.parametrize("ahead", [AHEAD, 7 * DAY, 3 * HOUR, HOUR, 30 * MINUTE])
def test_decisions_after_a_clock_was_ahead_count(bot, ahead):
    for moment in (NOW - DAY, NOW, NOW + 14 * MINUTE + ahead):
        register_at(moment, bot)
    tallies.tally_hours(now=NOW + 15 * MINUTE + ahead)
    register_at(NOW + 16 * MINUTE, bot)
    tallies.tally_hours(now=NOW + 17 * MINUTE)
    assert assigned() == 4
    assert assigned(since=NOW, until=NOW + 20 * MINUTE) == 2


@pytest.mark.parametrize("ahead", [AHEAD, 3 * HOUR, 30 * MINUTE])
def test_hours_that_were_tallied_before_they_were_over_are_tallied_anew(bot, ahead):
    register_at(NOW, bot)
    register_at(NOW + 40 * MINUTE + ahead, bot)
    tallies.tally_hours(now=NOW + 90 * MINUTE + ahead)
    register_at(NOW + 41 * MINUTE, bot)
    tallies.tally_hours(now=NOW + 42 * MINUTE)
    tallies.tally_hours(now=NOW + 100 * MINUTE + ahead)
    assert tallied() == assigned() == 3


def test_who_is_killed_while_it_is_made_anew_leaves_no_wrong_answer(bot):
    for hours in range(3):
        register_at(NOW + hours * HOUR, bot)
    tallies.tally_hours(now=NOW + AHEAD)
    register_at(NOW + 2 * HOUR + MINUTE, bot)
    tallies.reset_future_tally(NOW + 2 * HOUR + 2 * MINUTE)
    assert assigned() == 4
    assert tallies.tally_next(NOW + 2 * HOUR)
    assert assigned() == 4


def test_a_clock_that_was_behind_leaves_out_nothing_either(bot):
    register_at(NOW, bot)
    tallies.tally_hours(now=NOW + 2 * HOUR)
    register_at(EARLIER, bot)
    tallies.tally_hours(now=EARLIER + MINUTE)
    assert assigned() == 2
    tallies.tally_hours(now=NOW + 3 * HOUR)
    assert tallied() == assigned() == 2


def test_hours_that_are_long_over_are_not_tallied_anew(bot):
    for days in (0, 3, 5):
        register_at(NOW + days * DAY, bot)
    tallies.tally_hours(now=NOW + 5 * DAY + AHEAD)
    first = Tally.objects.order_by("hour").first()
    assert tallies.tally_hours(now=NOW + 5 * DAY + MINUTE) == 1  # that of two days before; the newest is not over
    assert Tally.objects.order_by("hour").first() == first


def test_a_host_whose_clock_is_a_little_behind_takes_nothing_back(bot):
    register_at(NOW, bot)
    tallies.tally_hours(now=NOW + 70 * MINUTE)
    assert tallies.tally_hours(now=NOW + 69 * MINUTE) == 0
    assert Upkeep.objects.get().tallied_until == NOW + HOUR
    assert not tallies.tally_next(NOW)
    assert Upkeep.objects.get().tallied_until == NOW + HOUR


SECOND = timedelta(seconds=1)
OFFICE = [{"weekday": day, "from": "09:00", "to": "18:00"} for day in range(1, 8)]


def ticks_at(*moments):
    for moment in moments:
        with time_machine.travel(moment, tick=False):
            clock.tick()


def fresh(row):
    return type(row).objects.get(pk=row.pk)


class TestWhatWasPlannedByAClockThatWasAhead:
    """It comes as if it had been planned now: nobody waits for the time that was wrong."""

    def test_a_contact_is_due_in_its_time(self, bot):
        Source.objects.update(accept_within=60)
        ticks_at(NOW + DAY)
        contact = register_at(NOW + DAY, bot)
        ticks_at(NOW)
        assert fresh(contact).due_at == NOW + MINUTE
        ticks_at(*(NOW + seconds * SECOND for seconds in range(10, 70, 10)))
        assert fresh(contact).operator_id is None

    def test_a_contact_that_is_due_earlier_gets_no_more_time(self, bot):
        Source.objects.update(accept_within=3600)
        with time_machine.travel(NOW - HOUR / 2, tick=False):
            contact = characters.contact(bot)
        ticks_at(NOW + DAY)
        Contact.objects.update(due_at=NOW + HOUR / 2)  # the outage that was none has given it time
        ticks_at(NOW)
        assert fresh(contact).due_at == NOW + HOUR / 2

    def test_the_pace_goes_on(self, anna, bot):
        Operator.objects.update(queue_pace=1, is_active=False)
        with time_machine.travel(NOW + DAY, tick=False):
            for _ in range(3):
                characters.contact(bot)
            operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": True})
        ticks_at(NOW + DAY, NOW)
        assert fresh(anna).paced_until == NOW + MINUTE
        ticks_at(NOW + MINUTE)
        assert characters.load(anna) == 2

    def test_a_cap_ends_with_the_hour_that_it_is(self, anna, bot):
        Operator.objects.update(max_per_hour=2)
        register_at(NOW, bot)
        ticks_at(NOW + DAY)
        for _ in range(3):
            register_at(NOW + DAY, bot)
        ticks_at(NOW + 5 * MINUTE)
        assert fresh(anna).capped_until == NOW + HOUR
        with time_machine.travel(NOW + 5 * MINUTE):
            assert characters.findings() == []
        ticks_at(NOW + HOUR)
        assert characters.load(anna) == 4

    def test_what_was_assigned_in_this_hour_before_still_counts(self, anna, bot):
        Operator.objects.update(max_per_hour=4)
        for _ in range(3):
            register_at(NOW, bot)
        ticks_at(NOW + 3 * HOUR)
        register_at(NOW + 3 * HOUR, bot)
        ticks_at(NOW + MINUTE)
        assert register_at(NOW + MINUTE, bot).waiting_reason == "all_capped"

    def test_a_cap_that_is_not_reached_ends(self, anna, bot):
        Operator.objects.update(max_per_hour=1)
        ticks_at(NOW + DAY)
        register_at(NOW + DAY, bot)
        waiting = register_at(NOW + DAY, bot)
        Operator.objects.update(max_per_hour=9)
        ticks_at(NOW, NOW + SECOND)
        assert fresh(waiting).operator_id == anna.pk

    def test_a_schedule_turns_the_switch_when_it_is_time(self, anna):
        with time_machine.travel(NOW, tick=False):
            duty_edges.set_schedule(operator_id=anna.pk, time_zone="UTC", shifts=OFFICE)
        ticks_at(NOW + 7 * HOUR)
        assert not fresh(anna).is_active
        ticks_at(NOW + MINUTE, NOW + MINUTE + SECOND)
        assert fresh(anna).is_active
        ticks_at(NOW + 6 * HOUR)
        assert not fresh(anna).is_active

    def test_a_source_opens_and_closes_when_it_is_time(self, bot):
        with time_machine.travel(NOW, tick=False):
            opening_hours.set_opening_hours(source_id=bot.pk, time_zone="UTC", shifts=OFFICE)
        ticks_at(NOW + 7 * HOUR)
        assert fresh(bot).opens_at
        ticks_at(NOW + MINUTE, NOW + MINUTE + SECOND)
        assert fresh(bot).opens_at is None
        ticks_at(NOW + 6 * HOUR)
        assert fresh(bot).opens_at == NOW + 21 * HOUR


def test_a_limit_that_is_lowered_afterwards_is_not_exceeded_by_what_was_there(anna, bot):
    for _ in range(3):
        register_at(NOW + DAY, bot)
    with time_machine.travel(NOW, tick=False):
        operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 1})
        assert characters.findings() == []
