"""The judge of the simulated week would find what it looks for."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine

from operators.models import Operator
from routing import operator_actions, source_actions
from tests import characters
from tests.simulation.judge import Judge, Person

pytestmark = pytest.mark.django_db

MONDAY_NOON = datetime(2026, 3, 30, 12, tzinfo=UTC)
ALL_DAY = [(day, "00:00", "23:59") for day in range(1, 8)]


def judge_of(*people, **known):
    """A source with these operators, and a judge who knows something else of them."""
    bot = characters.source(roster=dict.fromkeys(people, 10))
    persons = {
        one.pk: Person(one.pk, one.name, ZoneInfo("UTC"), **{"shifts": ALL_DAY, "limit": one.max_load} | known)
        for one in people
    }
    return bot, Judge(persons, {bot.pk: set(persons)}, {bot.pk: None})


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(MONDAY_NOON, tick=False):
        yield


def test_a_week_as_planned_has_no_faults():
    bot, judge = judge_of(characters.operator(limit=3))
    for _ in range(5):
        characters.contact(bot)
    assert [operator for _, operator in judge.look()] == [Operator.objects.get().pk] * 3
    assert (judge.faults, len(judge.waiting)) == ([], 2)


@pytest.mark.parametrize(
    ("known", "fault"),
    [
        ({"shifts": [(1, "13:00", "23:59")]}, "off duty"),
        ({"paused_until": MONDAY_NOON + timedelta(minutes=5)}, "off duty"),
        ({"absences": [(MONDAY_NOON - timedelta(minutes=1), MONDAY_NOON + timedelta(days=1))]}, "off duty"),
        ({"limit": 1}, "above the limit of 1"),
        ({"per_hour": 1}, "above the cap of 1"),
        ({"per_day": 1}, "above the cap of 1"),
    ],
)
def test_what_must_not_be_is_found(known, fault):
    bot, judge = judge_of(characters.operator(), **known)
    characters.contact(bot)
    characters.contact(bot)
    judge.look()
    assert judge.faults
    assert judge.faults[-1].endswith(fault)


def test_who_is_on_no_roster_is_found():
    bot, judge = judge_of(characters.operator("Anna"))
    judge.rosters[bot.pk].clear()
    characters.contact(bot)
    judge.look()
    assert judge.faults[0].endswith("not on the roster")


def test_a_contact_out_of_the_queue_that_comes_too_soon_is_found():
    bot, judge = judge_of(anna := characters.operator(limit=2, is_active=False), pace=2)
    characters.contact(bot)
    characters.contact(bot)
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": True})
    judge.look()
    assert judge.faults[0].endswith("faster than 2 a minute out of the queue")


def test_a_newer_contact_that_overtakes_is_found():
    bot, judge = judge_of(anna := characters.operator())
    other = characters.source(roster={anna: 10})
    judge.rosters[other.pk], judge.within[other.pk] = set(), None
    source_actions.remove_from_roster(source_id=bot.pk, operator_id=anna.pk)
    older = characters.contact(bot)  # waits, and the judge believes that it is for Anna
    judge.rosters[other.pk] = {anna.pk}
    characters.contact(other)
    judge.look()
    assert judge.faults[0].endswith(f"overtakes [{older.pk}]")


def test_a_shift_over_midnight_and_the_change_of_the_clocks():
    night = Person(1, "night", ZoneInfo("Europe/Berlin"), [(6, "22:00", "06:00")], limit=1)
    begin, end = datetime(2026, 3, 28, 21, tzinfo=UTC), datetime(2026, 3, 29, 4, tzinfo=UTC)  # one hour less
    moments = [begin - timedelta(seconds=1), begin, end - timedelta(seconds=1), end]
    assert list(map(night.is_on_duty, moments)) == [False, True, True, False]
    assert (night.next_edge(begin - timedelta(hours=1)), night.next_edge(begin)) == (begin, end)
