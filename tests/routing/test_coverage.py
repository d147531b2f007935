"""Holes in coverage: hours of a source in which nobody on its roster is planned."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operators.duty_plan import without
from routing import coverage, duty_edges, opening_hours, operator_actions, source_actions
from tests import characters

MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


def shifts(days, begin="09:00", end="18:00"):
    return [{"weekday": day, "from": begin, "to": end} for day in days]


def hours(day, begin, end):
    return MONDAY + timedelta(days=day, hours=begin), MONDAY + timedelta(days=day, hours=end)


def schedule(operator, days, *clocks):
    duty_edges.set_schedule(operator_id=operator.pk, time_zone="UTC", shifts=shifts(days, *clocks))


def holes(source):
    return coverage.holes(source_id=source.pk, start=MONDAY, end=MONDAY + WEEK)


@pytest.fixture
def anna():
    return characters.operator("Anna")


@pytest.fixture
def boris():
    return characters.operator("Boris")


@pytest.fixture
def bot(anna, boris):
    """Open from Monday to Saturday; it is Monday, 00:00."""
    with time_machine.travel(MONDAY, tick=False):
        source = characters.source(roster={anna: 10, boris: 10})
        opening_hours.set_opening_hours(source_id=source.pk, time_zone="UTC", shifts=shifts(range(1, 7)))
        schedule(anna, range(1, 6))
        schedule(boris, [6])
        yield source


@pytest.mark.django_db
def test_a_week_that_is_covered_has_no_holes(bot):
    assert holes(bot) == []


@pytest.mark.django_db
def test_where_nobody_is_planned_is_a_hole(bot, boris):
    schedule(boris, [1])
    assert holes(bot) == [hours(5, 9, 18)]


@pytest.mark.django_db
def test_the_moment_between_a_begin_now_and_the_look_at_the_plans_is_no_hole():
    always_there = characters.source(roster={characters.operator(): 10})
    now = timezone.now()
    assert coverage.holes(source_id=always_there.pk, start=now, end=now + WEEK) == []


@pytest.mark.django_db
def test_an_absence_makes_a_hole_unless_somebody_else_is_there(bot, anna, boris):
    start, end = hours(2, 12, 24)
    duty_edges.add_absence(operator_id=anna.pk, start=start, end=end)
    assert holes(bot) == [hours(2, 12, 18)]
    schedule(boris, [3, 6])
    assert holes(bot) == []


@pytest.mark.django_db
def test_a_pause_is_no_duty(bot, anna):
    duty_edges.pause_operator(operator_id=anna.pk, until=MONDAY + timedelta(hours=10))
    assert holes(bot) == [hours(0, 9, 10)]


@pytest.mark.django_db
def test_without_a_schedule_the_switch_counts(bot, boris):
    duty_edges.set_schedule(operator_id=boris.pk, time_zone="UTC", shifts=[])
    assert holes(bot) == [hours(5, 9, 18)]  # its last shift has not come, and has left it off duty
    operator_actions.change_operator(operator_id=boris.pk, changes={"is_active": True})
    assert holes(bot) == []


@pytest.mark.django_db
def test_a_source_without_hours_is_always_open(bot):
    opening_hours.set_opening_hours(source_id=bot.pk, time_zone="UTC", shifts=[])
    assert holes(bot)[0] == hours(0, 0, 9)


@pytest.mark.django_db
def test_a_source_without_a_roster_is_one_hole(bot):
    source_actions.replace_roster(source_id=bot.pk, weights=[])
    assert holes(bot) == [hours(day, 9, 18) for day in range(6)]


@pytest.mark.django_db
def test_the_number_of_operators_costs_no_query(bot, django_assert_num_queries):
    for number in range(5):
        member = characters.operator(f"Operator {number}")
        source_actions.set_weight(source_id=bot.pk, operator_id=member.pk, weight=10)
    with django_assert_num_queries(5):
        holes(bot)


MINUTES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=6)


@given(MINUTES, MINUTES)
def test_holes_are_the_open_minutes_that_nobody_covers(opening, planned):
    """Against a naive model: sets of minutes."""

    def intervals(pairs):
        return coverage.merge([(at(start), at(start + length)) for start, length in pairs])

    def at(minute):
        return MONDAY + timedelta(minutes=minute)

    def minutes(found):
        return {minute for minute in range(100) if any(start <= at(minute) < end for start, end in found)}

    found = without(intervals(opening), intervals(planned))
    assert minutes(found) == minutes(intervals(opening)) - minutes(intervals(planned))
    assert all(first[1] <= second[0] for first, second in pairwise(found))


ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"])
WEEKS = st.sampled_from([datetime(2026, 3, 23, tzinfo=UTC), datetime(2026, 10, 19, tzinfo=UTC)])  # Berlin's clocks turn
HOURS = st.tuples(st.integers(1, 7), st.integers(0, 23), st.integers(1, 24)).filter(lambda one: one[1] != one[2])
PATTERN = st.lists(HOURS, max_size=3, unique=True)
ABSENCE = st.none() | st.tuples(st.integers(0, 6 * 24), st.integers(1, 48))
TEAM = st.lists(st.tuples(ZONES, PATTERN, ABSENCE, st.booleans()), max_size=3)


def on_clock(pattern):
    return [{"weekday": day, "from": f"{begin:02}:00", "to": f"{end:02}:00"} for day, begin, end in pattern]


def is_covered(moment, zone, pattern):
    """What the wall clock shows is enough to tell, because these zones turn theirs by whole hours."""
    local = moment.astimezone(ZoneInfo(zone))
    for day, begin, end in pattern:
        crosses = end <= begin
        if local.isoweekday() == day and begin <= local.hour < (24 if crosses else end):
            return True
        if crosses and local.isoweekday() == day % 7 + 1 and local.hour < end:
            return True
    return False


def is_planned(moment, start, zone, pattern, absence, is_active):
    away = absence and absence[0] <= (moment - start) / HOUR < sum(absence)
    return not away and (is_covered(moment, zone, pattern) if pattern else is_active)


def make_team(start, team):
    members = []
    for zone, pattern, absence, is_active in team:
        member = characters.operator(is_active=is_active)
        duty_edges.set_schedule(operator_id=member.pk, time_zone=zone, shifts=on_clock(pattern))
        if absence:
            begin = start + absence[0] * HOUR
            duty_edges.add_absence(operator_id=member.pk, start=begin, end=begin + absence[1] * HOUR)
        members.append(member)
    return members


@pytest.mark.django_db
@settings(
    max_examples=10 if characters.ON_POSTGRESQL else 40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(WEEKS, ZONES, PATTERN, TEAM)
def test_holes_are_the_open_half_hours_in_which_nobody_is_planned(start, zone, opening, team):
    """The whole way through the database, against a model that looks at the wall clock every half hour."""
    with time_machine.travel(start, tick=False), transaction.atomic():
        source = characters.source(roster=dict.fromkeys(make_team(start, team), 10))
        opening_hours.set_opening_hours(source_id=source.pk, time_zone=zone, shifts=on_clock(opening))
        found = coverage.holes(source_id=source.pk, start=start, end=start + WEEK)
        transaction.set_rollback(True)
    for moment in (start + number * HOUR / 2 for number in range(7 * 48)):
        is_open = not opening or is_covered(moment, zone, opening)
        is_hole = is_open and not any(is_planned(moment, start, *member) for member in team)
        assert is_hole == any(begin <= moment < end for begin, end in found), moment
