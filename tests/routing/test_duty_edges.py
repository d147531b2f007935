"""Schedules, absences and pauses turn the switch at their edges, as the clock goes."""

from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from core.changes.models import Change
from core.changes.recording import SERVICE
from core.errors import Conflict, Invalid, Unknown
from operators.models import Absence, Operator, Schedule
from routing import clock, duty_edges, lifecycle, operator_actions, reverting, source_actions
from routing.models import Contact, ContactEvent
from tests.characters import contact, findings, load, operator, source

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
OFFICE = [{"weekday": day, "from": "09:00", "to": "18:00"} for day in range(1, 6)]


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of the week, 1 = Monday."""
    return MONDAY + timedelta(days=day - 1, hours=hour, minutes=minute)


@pytest.fixture(autouse=True)
def traveller() -> Generator[time_machine.Traveller]:
    """It is Monday, eight o'clock."""
    with time_machine.travel(at(1, 8), tick=False) as traveller:
        yield traveller


@pytest.fixture
def anna() -> Operator:
    return operator()


def is_active(who: Operator) -> bool:
    return Operator.objects.get(pk=who.pk).is_active


def plan(who: Operator, shifts: list[dict[str, Any]] = OFFICE, zone: str = "UTC") -> None:
    duty_edges.set_schedule(operator_id=who.pk, time_zone=zone, shifts=shifts)


def absent(who: Operator, start: datetime, end: datetime, *, handover: bool = False) -> Absence:
    return duty_edges.add_absence(operator_id=who.pk, start=start, end=end, handover=handover)


def turn(who: Operator, is_active: bool) -> None:
    operator_actions.change_operator(operator_id=who.pk, changes={"is_active": is_active})


def switch_at(traveller: time_machine.Traveller, who: Operator, *moments: datetime) -> list[bool]:
    """The switch at these moments, one after another."""
    found = []
    for moment in moments:
        traveller.move_to(moment)
        clock.tick()
        found.append(is_active(who))
    return found


def test_a_schedule_turns_the_switch_at_its_edges(traveller, anna):
    plan(anna)
    hours = [at(1, hour) for hour in (8, 9, 17, 18, 20)]
    assert switch_at(traveller, anna, *hours) == [False, True, True, False, False]


@pytest.mark.parametrize(("hour", "on_duty"), [(8, False), (12, True), (20, False)])
def test_a_new_schedule_acts_as_if_its_last_edge_had_just_passed(traveller, anna, hour, on_duty):
    turn(anna, not on_duty)
    traveller.move_to(at(1, hour))
    plan(anna)
    assert is_active(anna) == on_duty


def test_without_shifts_the_switch_stays_and_nothing_turns_it(traveller, anna):
    plan(anna)
    plan(anna, [])
    assert Operator.objects.get(pk=anna.pk).next_edge_at is None
    assert switch_at(traveller, anna, at(1, 9), at(1, 12)) == [False, False]


def test_the_same_schedule_again_leaves_what_was_changed_by_hand(traveller, anna):
    plan(anna)
    turn(anna, True)
    known = Change.objects.count()
    plan(anna)
    assert is_active(anna)
    assert Change.objects.count() == known


def test_a_change_by_hand_holds_until_the_next_edge(traveller, anna):
    plan(anna)
    traveller.move_to(at(1, 12))
    clock.tick()
    turn(anna, False)
    assert switch_at(traveller, anna, at(1, 17), at(1, 18), at(2, 9)) == [False, False, True]
    traveller.move_to(at(2, 20))
    clock.tick()
    turn(anna, True)
    assert switch_at(traveller, anna, at(2, 23), at(3, 9), at(3, 18)) == [True, True, False]


def test_a_schedule_edited_in_the_middle_of_a_shift_turns_at_its_new_end(traveller, anna):
    plan(anna)
    traveller.move_to(at(1, 12))
    clock.tick()
    plan(anna, [{"weekday": 1, "from": "09:00", "to": "13:00"}])
    assert switch_at(traveller, anna, at(1, 12, 30), at(1, 13), at(1, 17)) == [True, False, False]


def test_a_shift_goes_on_past_midnight_in_the_zone_of_the_schedule(traveller, anna):
    plan(anna, [{"weekday": 1, "from": "22:00", "to": "06:00"}], "Europe/Berlin")
    assert switch_at(traveller, anna, at(1, 20), at(1, 21), at(2, 4), at(2, 5)) == [False, True, True, False]


def test_an_absence_takes_off_duty_and_the_schedule_brings_back(traveller, anna):
    plan(anna)
    absent(anna, at(1, 10), at(2, 12))
    moments = at(1, 9), at(1, 10), at(1, 18), at(2, 9), at(2, 12)
    assert switch_at(traveller, anna, *moments) == [True, False, False, False, True]


def test_an_absence_that_ends_after_work_leaves_off_duty(traveller, anna):
    plan(anna)
    absent(anna, at(1, 10), at(1, 20))
    assert switch_at(traveller, anna, at(1, 9), at(1, 20), at(2, 9)) == [True, False, True]


@pytest.mark.parametrize("was_active", [True, False])
def test_without_a_schedule_the_former_switch_comes_back(traveller, anna, was_active):
    turn(anna, was_active)
    absent(anna, at(1, 10), at(1, 12))
    assert switch_at(traveller, anna, at(1, 10), at(1, 12)) == [False, was_active]


def test_absences_that_follow_each_other_are_one(traveller, anna):
    absent(anna, at(1, 10), at(1, 12))
    absent(anna, at(1, 12), at(1, 14))
    assert switch_at(traveller, anna, at(1, 10), at(1, 12), at(1, 14)) == [False, False, True]


def test_an_absence_that_has_begun_already_begins_now(traveller, anna):
    absent(anna, at(1, 7), at(1, 9))
    assert not is_active(anna)
    assert switch_at(traveller, anna, at(1, 9)) == [True]


@pytest.mark.parametrize(("start", "end"), [(9, 13), (11, 12), (8, 11), (10, 13), (11, 20)])
def test_absences_do_not_overlap(anna, start, end):
    absent(anna, at(1, 10), at(1, 13))
    with pytest.raises(Conflict) as refused:
        absent(anna, at(1, start), at(1, end))
    assert refused.value.code == "overlaps"
    assert Absence.objects.count() == 1


@pytest.mark.parametrize(("start", "end"), [(at(1, 10), at(1, 10)), (at(1, 10), at(1, 9)), (at(1, 6), at(1, 8))])
def test_an_absence_without_length_or_in_the_past_is_refused(anna, start, end):
    with pytest.raises(Invalid) as refused:
        absent(anna, start, end)
    assert [error.field for error in refused.value.errors] == ["to"]


def test_a_cancelled_absence_that_runs_ends_now(traveller, anna):
    holiday = absent(anna, at(1, 7), at(5, 7), handover=True)
    duty_edges.cancel_absence(operator_id=anna.pk, absence_id=holiday.pk)
    assert is_active(anna)
    assert not duty_edges.list_absences(operator_id=anna.pk)
    with pytest.raises(Unknown):
        duty_edges.cancel_absence(operator_id=anna.pk, absence_id=holiday.pk)
    assert switch_at(traveller, anna, at(5, 7)) == [True]


def test_a_cancelled_absence_to_come_never_begins(traveller, anna):
    holiday = absent(anna, at(1, 10), at(1, 12))
    duty_edges.cancel_absence(operator_id=anna.pk, absence_id=holiday.pk)
    assert switch_at(traveller, anna, at(1, 10)) == [True]


def test_an_absence_that_is_over_cannot_be_cancelled(traveller, anna):
    holiday = absent(anna, at(1, 10), at(1, 12))
    switch_at(traveller, anna, at(1, 13))
    with pytest.raises(Conflict) as refused:
        duty_edges.cancel_absence(operator_id=anna.pk, absence_id=holiday.pk)
    assert refused.value.code == "absence_over"


def test_nobody_cancels_an_absence_of_somebody_else(anna):
    holiday = absent(anna, at(1, 10), at(1, 12))
    with pytest.raises(Unknown):
        duty_edges.cancel_absence(operator_id=operator("Boris").pk, absence_id=holiday.pk)


def test_an_absence_hands_over_at_its_begin(traveller, anna):
    boris = operator("Boris", is_active=False)
    held = contact(source(roster={anna: 10, boris: 10}))
    turn(boris, True)
    holiday = absent(anna, at(1, 10), at(2, 10), handover=True)
    assert load(anna) == 1
    switch_at(traveller, anna, at(1, 10))
    assert (load(anna), load(boris)) == (0, 1)
    holiday.refresh_from_db()
    assert holiday.moved == [[held.pk, boris.pk]]
    assert ContactEvent.objects.latest("pk").by == "system"
    assert findings() == []


def test_an_absence_without_handover_leaves_contacts_where_they_are(traveller, anna):
    contact(source(roster={anna: 10}))
    absent(anna, at(1, 10), at(2, 10))
    switch_at(traveller, anna, at(1, 10))
    assert load(anna) == 1


def test_an_absence_that_was_missed_hands_nothing_over(traveller, anna):
    contact(source(roster={anna: 10}))
    missed = absent(anna, at(1, 10), at(1, 12), handover=True)
    assert switch_at(traveller, anna, at(1, 14)) == [True]
    missed.refresh_from_db()
    assert missed.began_at == missed.ended_at == at(1, 14)
    assert load(anna) == 1


def test_edges_that_were_missed_are_made_up_in_order(traveller, anna):
    plan(anna)
    absent(anna, at(2, 12), at(3, 20))
    assert switch_at(traveller, anna, at(2, 13)) == [False]
    assert switch_at(traveller, anna, at(6, 12), at(8, 10)) == [False, True]


def test_edges_that_were_missed_leave_one_record(traveller, anna):
    plan(anna)
    known = Change.objects.count()
    switch_at(traveller, anna, at(4, 12))
    assert Change.objects.count() == known + 1
    made = Change.objects.latest("pk")
    assert (made.what, made.via, made.after) == ("operator.changed", "schedule", {"is_active": True})


def test_a_verb_after_missed_edges_does_them_once(traveller, anna):
    plan(anna)
    absent(anna, at(1, 10), at(1, 12))
    traveller.move_to(at(1, 20))
    absent(anna, at(3, 10), at(3, 12))
    assert not is_active(anna)


def test_a_change_by_hand_after_a_missed_edge_holds(traveller, anna):
    plan(anna)
    traveller.move_to(at(1, 9, 10))
    turn(anna, True)
    turn(anna, False)
    assert switch_at(traveller, anna, at(1, 9, 20), at(1, 18), at(2, 9)) == [False, False, True]


def test_a_pause_ends_by_itself(traveller, anna):
    paused = duty_edges.pause_operator(operator_id=anna.pk, minutes=30)
    assert (paused.is_active, paused.paused_until) == (False, at(1, 8, 30))
    assert switch_at(traveller, anna, at(1, 8, 29), at(1, 8, 30)) == [False, True]
    assert Operator.objects.get(pk=anna.pk).paused_until is None


def test_resuming_ends_a_pause_and_again_changes_nothing(anna):
    duty_edges.pause_operator(operator_id=anna.pk, until=at(1, 12))
    assert duty_edges.resume_operator(operator_id=anna.pk).is_active
    known = Change.objects.count()
    resumed = duty_edges.resume_operator(operator_id=anna.pk)
    assert (resumed.is_active, resumed.next_edge_at) == (True, None)
    assert Change.objects.count() == known


def test_another_pause_replaces_the_one_before(traveller, anna):
    duty_edges.pause_operator(operator_id=anna.pk, minutes=30)
    duty_edges.pause_operator(operator_id=anna.pk, minutes=60)
    assert switch_at(traveller, anna, at(1, 8, 30), at(1, 9)) == [False, True]


def test_a_shift_that_begins_in_a_pause_begins_after_it(traveller, anna):
    plan(anna)
    duty_edges.pause_operator(operator_id=anna.pk, until=at(1, 10))
    assert switch_at(traveller, anna, at(1, 9), at(1, 10)) == [False, True]


def test_a_shift_that_ends_in_a_pause_has_ended(traveller, anna):
    plan(anna)
    switch_at(traveller, anna, at(1, 17, 50))
    duty_edges.pause_operator(operator_id=anna.pk, until=at(1, 18, 20))
    assert switch_at(traveller, anna, at(1, 18, 20), at(2, 9)) == [False, True]


def test_a_pause_in_overtime_ends_in_overtime(traveller, anna):
    plan(anna)
    switch_at(traveller, anna, at(1, 20))
    turn(anna, True)
    duty_edges.pause_operator(operator_id=anna.pk, minutes=15)
    assert switch_at(traveller, anna, at(1, 20, 15), at(2, 9), at(2, 18)) == [True, True, False]


def test_a_pause_does_not_end_an_absence(traveller, anna):
    absent(anna, at(1, 9), at(1, 12))
    duty_edges.pause_operator(operator_id=anna.pk, until=at(1, 10))
    assert switch_at(traveller, anna, at(1, 9), at(1, 10), at(1, 12)) == [False, False, True]


def test_back_on_duty_by_hand_ends_a_pause(traveller, anna):
    duty_edges.pause_operator(operator_id=anna.pk, minutes=30)
    turn(anna, True)
    paused = Operator.objects.get(pk=anna.pk)
    assert (paused.paused_until, paused.next_edge_at) == (None, None)
    turn(anna, False)
    assert switch_at(traveller, anna, at(1, 9)) == [False]


@pytest.mark.parametrize(
    "asked",
    [{}, {"minutes": 5, "until": at(2, 8)}, {"minutes": 0}, {"minutes": 43_201}, {"until": at(1, 8)}],
)
def test_a_pause_has_either_minutes_or_an_end_to_come(anna, asked):
    with pytest.raises(Invalid):
        duty_edges.pause_operator(operator_id=anna.pk, **asked)
    assert is_active(anna)


def test_who_comes_back_gets_the_queue(traveller, anna):
    bot = source(roster={anna: 10})
    plan(anna)
    waits = contact(bot)
    assert waits.operator_id is None
    switch_at(traveller, anna, at(1, 9))
    assert Contact.objects.get(pk=waits.pk).operator_id == anna.pk


def test_with_everybody_away_contacts_wait_because_nobody_is_on_duty(traveller, anna):
    boris = operator("Boris")
    bot = source(roster={anna: 10, boris: 10})
    for away in (anna, boris):
        absent(away, at(1, 10), at(1, 12), handover=True)
    held = contact(bot)
    switch_at(traveller, anna, at(1, 10))
    assert {one.waiting_reason for one in Contact.objects.waiting()} == {"all_inactive"}
    switch_at(traveller, anna, at(1, 12))
    assert Contact.objects.get(pk=held.pk).operator_id
    assert findings() == []


def test_those_who_come_back_together_get_by_their_pace_what_has_waited_for_all_of_them(traveller, anna):
    boris = operator("Boris", queue_pace=1)
    operator_actions.change_operator(operator_id=anna.pk, changes={"queue_pace": 1})
    bot = source(roster={anna: 10, boris: 10})
    for away in (anna, boris):
        absent(away, at(1, 7), at(1, 12))
    waiting = [contact(bot).pk for _ in range(6)]
    given = []
    for minute in range(3):
        switch_at(traveller, anna, at(1, 12, minute))
        given.append(list(Contact.objects.open().exclude(operator=None).order_by("pk").values_list("pk", flat=True)))
        assert load(anna) == load(boris) == minute + 1
    assert given == [waiting[:2], waiting[:4], waiting]
    assert findings() == []


def test_a_schedule_that_ends_the_shift_now_stops_the_clock_of_what_is_to_be_taken(traveller, anna):
    plan(anna)
    switch_at(traveller, anna, at(1, 9))
    bot = source(roster={anna: 10})
    source_actions.change_source(source_id=bot.pk, changes={"accept_within": 60})
    held = contact(bot)
    plan(anna, [{"weekday": 2, "from": "09:00", "to": "18:00"}])
    assert not is_active(anna)
    held.refresh_from_db()
    assert (held.due_at, held.due_left) == (None, 60)
    assert switch_at(traveller, anna, at(1, 18), at(2, 9)) == [False, True]
    held.refresh_from_db()
    assert held.due_at == at(2, 9, 1)


def test_an_absence_with_a_hand_over_that_is_due_when_its_operator_is_archived_moves_nothing_more(traveller, anna):
    boris = operator("Boris", is_active=False)
    held = contact(source(roster={anna: 10, boris: 10}))
    holiday = absent(anna, at(1, 10), at(2, 10), handover=True)
    turn(boris, True)
    traveller.move_to(at(1, 10))
    operator_actions.archive_operator(operator_id=anna.pk)
    known = ContactEvent.objects.count()
    switch_at(traveller, anna, at(1, 10, 1), at(2, 10))
    holiday.refresh_from_db()
    assert (holiday.moved, ContactEvent.objects.count()) == (None, known)
    assert (Contact.objects.get(pk=held.pk).operator_id, load(anna), findings()) == (boris.pk, 0, [])
    operator_actions.restore_operator(operator_id=anna.pk)
    assert switch_at(traveller, anna, at(2, 11)) == [True]
    assert ContactEvent.objects.count() == known


def test_an_archived_operator_has_no_edges_until_it_is_restored(traveller, anna):
    plan(anna)
    operator_actions.archive_operator(operator_id=anna.pk)
    assert Operator.objects.get(pk=anna.pk).next_edge_at is None
    assert switch_at(traveller, anna, at(1, 12)) == [False]
    assert operator_actions.restore_operator(operator_id=anna.pk).is_active
    assert switch_at(traveller, anna, at(1, 18)) == [False]


def test_the_archived_and_unknown_have_no_schedule(anna):
    operator_actions.archive_operator(operator_id=anna.pk)
    for operator_id in (anna.pk, 404):
        with pytest.raises(Unknown):
            duty_edges.set_schedule(operator_id=operator_id, time_zone="UTC", shifts=OFFICE)
        with pytest.raises(Unknown):
            duty_edges.add_absence(operator_id=operator_id, start=at(1, 10), end=at(1, 12))
        with pytest.raises(Unknown):
            duty_edges.pause_operator(operator_id=operator_id, minutes=5)
        with pytest.raises(Unknown):
            duty_edges.planned_availability(operator_id=operator_id, start=at(1, 0), end=at(2, 0))


def test_one_that_fails_does_not_stop_the_others(traveller, anna, monkeypatch):
    boris = operator("Boris")
    for one in (anna, boris):
        duty_edges.pause_operator(operator_id=one.pk, minutes=30)
    once = duty_edges.make_up_edges

    def fail_for_anna(plan, now):
        if plan.operator.pk == anna.pk:
            raise ZeroDivisionError
        return once(plan, now)

    monkeypatch.setattr(duty_edges, "make_up_edges", fail_for_anna)
    with pytest.raises(ZeroDivisionError):
        switch_at(traveller, anna, at(1, 9))
    assert is_active(boris)


def test_a_clock_that_is_half_a_minute_behind_turns_nothing_twice(traveller, anna):
    """Another host has done the edge half a minute before its time."""
    plan(anna)
    switch_at(traveller, anna, at(1, 9))
    turn(anna, False)
    late = at(1, 8, 59) + timedelta(seconds=30)
    assert switch_at(traveller, anna, late, at(1, 9), at(1, 9, 1)) == [False, False, False]


def test_a_verb_by_a_clock_that_is_half_a_minute_behind_turns_nothing_twice(traveller, anna):
    plan(anna)
    switch_at(traveller, anna, at(1, 9))
    turn(anna, False)
    traveller.move_to(at(1, 8, 59) + timedelta(seconds=30))
    absent(anna, at(3, 9), at(4, 9))
    assert switch_at(traveller, anna, at(1, 9), at(1, 9, 1)) == [False, False]


def test_a_schedule_set_by_a_clock_that_is_half_a_minute_behind_has_all_its_edges(traveller, anna):
    plan(anna, [{"weekday": 1, "from": "08:30", "to": "09:00"}])
    assert switch_at(traveller, anna, at(1, 8, 30), at(1, 9)) == [True, False]
    traveller.move_to(at(1, 8, 59) + timedelta(seconds=30))
    plan(anna)
    assert switch_at(traveller, anna, at(1, 9)) == [True]


def test_what_is_planned_is_the_schedule_without_absences_and_pause(traveller, anna):
    plan(anna)
    absent(anna, at(1, 10), at(1, 12))
    duty_edges.pause_operator(operator_id=anna.pk, until=at(1, 9, 30))
    planned = duty_edges.planned_availability(operator_id=anna.pk, start=at(1, 0), end=at(3, 0))
    assert planned == [(at(1, 9, 30), at(1, 10)), (at(1, 12), at(1, 18)), (at(2, 9), at(2, 18))]


@pytest.mark.parametrize("was_active", [True, False])
def test_without_a_schedule_the_switch_is_planned_from_now_on(anna, was_active):
    turn(anna, was_active)
    absent(anna, at(1, 7), at(1, 12))
    planned = duty_edges.planned_availability(operator_id=anna.pk, start=at(1, 0), end=at(2, 0))
    assert planned == ([(at(1, 12), at(2, 0))] if was_active else [])


def test_a_schedule_is_recorded_and_reverted(traveller, anna):
    plan(anna)
    plan(anna, [])
    change = Change.objects.latest("pk")
    assert (change.what, change.before["weekly"], change.after["weekly"]) == ("operator.scheduled", OFFICE, [])
    reverting.revert_change(change_id=change.pk, author=SERVICE)
    assert duty_edges.read_schedule(operator_id=anna.pk) == {"time_zone": "UTC", "weekly": OFFICE}
    with pytest.raises(Conflict) as refused:
        reverting.revert_change(change_id=change.pk, author=SERVICE)
    assert refused.value.code == "changed_since"


def test_turning_writes_nothing_before_the_edge(traveller, anna, django_assert_num_queries):
    plan(anna)
    with django_assert_num_queries(1):
        duty_edges.turn_edges(at(1, 8, 59))


def test_contacts_of_who_is_absent_can_still_be_closed(traveller, anna):
    held = contact(source(roster={anna: 10}))
    absent(anna, at(1, 7), at(1, 12))
    lifecycle.resolve_contact(contact_id=held.pk)
    assert switch_at(traveller, anna, at(1, 12)) == [True]
    assert load(anna) == 0


def test_a_schedule_whose_time_zone_is_unknown_by_now_turns_nothing_until_it_is_replaced(traveller, anna, caplog):
    plan(anna)
    Schedule.objects.update(time_zone="Europe/Atlantis")
    boris = operator("Boris")
    duty_edges.pause_operator(operator_id=boris.pk, minutes=30)
    assert switch_at(traveller, anna, at(1, 9), at(1, 10)) == [False, False]
    assert is_active(boris)
    assert "Europe/Atlantis" in caplog.text
    plan(anna)
    assert switch_at(traveller, anna, at(1, 11), at(1, 18)) == [True, False]
