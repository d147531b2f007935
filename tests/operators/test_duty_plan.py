"""Edges of duty, without a database: looking rarely leads to the same as looking all the time."""

from copy import deepcopy
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from operators.duty_plan import DutyPlan, without
from operators.models import Absence, Operator
from operators.weekly import Shift, Weekly

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS = 4

hours = st.integers(0, 24 * DAYS)
clocks = st.integers(0, 23).map(time)
shifts = st.builds(Shift, st.integers(1, DAYS), clocks, clocks).filter(lambda shift: shift.start != shift.end)


@st.composite
def plans(draw):
    """A plan as it is on Monday at midnight: a schedule or none, absences that do not overlap, perhaps a pause."""
    pattern = draw(st.lists(shifts, max_size=4))
    weekly = Weekly(ZoneInfo("Europe/Berlin"), pattern) if pattern else None
    ends = sorted(draw(st.lists(hours, unique=True, max_size=6)))
    pairs = list(zip(ends[::2], ends[1::2], strict=False))
    if draw(st.booleans()) and len(pairs) > 1:
        pairs[1] = (pairs[0][1], pairs[1][1])  # begins where the other ends
    operator = Operator(pk=1, is_active=draw(st.booleans()), edges_done_at=MONDAY)
    absences = [
        Absence(pk=number, operator=operator, start=MONDAY + begin * HOUR, end=MONDAY + end * HOUR)
        for number, (begin, end) in enumerate(pairs, 1)
    ]
    pause = draw(st.none() | st.integers(1, 24 * DAYS))
    plan = DutyPlan(operator, weekly, absences, operator.is_active)
    if pause:
        operator.was_active, operator.paused_until = plan.planned_switch, MONDAY + pause * HOUR
        plan.is_active = False
    plan.turn_edges(MONDAY)
    return plan


def state(plan):
    marks = [(one.began_at is None, one.ended_at is None) for one in plan.absences]
    return plan.is_active, plan.operator.paused_until, plan.operator.next_edge_at, marks


@given(plans(), st.lists(hours, max_size=3))
def test_looking_rarely_leads_to_the_same_as_looking_every_hour(often, moments):
    rarely = deepcopy(often)
    for hour in range(24 * DAYS + 1):
        often.turn_edges(MONDAY + hour * HOUR)
        if hour in moments or hour == 24 * DAYS:
            rarely.turn_edges(MONDAY + hour * HOUR)
            assert state(rarely) == state(often)


@given(plans())
def test_looking_only_when_the_next_edge_is_due_misses_nothing(plan):
    awaited = deepcopy(plan)
    for hour in range(24 * DAYS + 1):
        now = MONDAY + hour * HOUR
        plan.turn_edges(now)
        if awaited.operator.next_edge_at and awaited.operator.next_edge_at <= now:
            awaited.turn_edges(now)
        assert state(awaited) == state(plan)


@given(plans().filter(lambda plan: plan.weekly))
def test_with_a_schedule_the_switch_is_what_is_planned(plan):
    plan.plan_switch(plan.weekly.covers(MONDAY))  # as a schedule that is new
    planned = deepcopy(plan).availability(MONDAY, MONDAY + DAYS * 24 * HOUR, MONDAY)
    for hour in range(24 * DAYS):
        now = MONDAY + hour * HOUR
        plan.turn_edges(now)
        assert plan.is_active == any(begin <= now < end for begin, end in planned)


@given(plans())
def test_nobody_is_on_duty_during_an_absence_or_a_pause(plan):
    for hour in range(24 * DAYS):
        now = MONDAY + hour * HOUR
        plan.turn_edges(now)
        absent = any(one.start <= now < one.end for one in plan.absences)
        paused = plan.operator.paused_until is not None and now < plan.operator.paused_until
        assert not (plan.is_active and (absent or paused))
        assert plan.is_away == (absent or paused)


intervals = st.lists(hours, unique=True).map(sorted).map(lambda ends: list(zip(ends[::2], ends[1::2], strict=False)))


@given(intervals, intervals)
def test_what_is_left_of_intervals_is_what_no_absence_takes(wanted, away):
    left = without(wanted, away)

    def inside(pairs):
        return {hour for begin, end in pairs for hour in range(begin, end)}

    assert inside(left) == inside(wanted) - inside(away)
