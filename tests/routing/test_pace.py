"""Nobody is flooded with what waits: contacts come out of the queue by the pace, oldest first."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import time_machine

from operators.models import Operator
from routing import clock, explanation, lifecycle, operator_actions, queue
from routing.models import Contact, ContactEvent
from tests import characters

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def at():
    """The clock of this test. It stands still until it is moved."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def team():
    return [characters.operator(name, limit=100, is_active=False, queue_pace=2) for name in ("Anna", "Boris")]


@pytest.fixture
def bot(team):
    return characters.source(roster=dict.fromkeys(team, 10))


@pytest.fixture
def backlog(at, bot):
    return [characters.contact(bot).pk for _ in range(30)]


def comes_on_duty(operator):
    operator_actions.change_operator(operator_id=operator.pk, changes={"is_active": True})


def given():
    """Who got what out of the queue, and how many seconds after noon, in the order of events."""
    events = ContactEvent.objects.filter(what="dequeued").order_by("pk")
    rows = events.values_list("to_operator_id", "contact_id", "at")
    return [(operator_id, pk, (at - NOON).total_seconds()) for operator_id, pk, at in rows]


def let_pass(at, seconds, step=1):
    for _ in range(0, seconds, step):
        at.shift(timedelta(seconds=step))
        clock.tick()


def test_thirty_that_wait_come_to_two_people_at_two_a_minute_each(at, team, backlog):
    for operator in team:
        comes_on_duty(operator)
    let_pass(at, 450, step=5)
    for operator in team:
        moments = [moment for operator_id, _, moment in given() if operator_id == operator.pk]
        assert moments == [30.0 * number for number in range(len(moments))]
    assert [pk for _, pk, _ in given()] == backlog
    assert characters.findings() == []


def test_a_clock_that_is_late_makes_nobody_get_more(at, team, backlog):
    comes_on_duty(team[0])
    let_pass(at, 350, step=35)
    moments = [moment for *_, moment in given()]
    assert len(moments) == 11
    assert all(later - earlier >= 30 for earlier, later in pairwise(moments))


def test_the_sweep_keeps_the_pace(team, backlog):
    comes_on_duty(team[0])
    assert queue.sweep_queue() == 0
    assert characters.load(team[0]) == 1


def test_a_resolved_contact_makes_nothing_come_sooner(team, backlog):
    comes_on_duty(team[0])
    lifecycle.resolve_contact(contact_id=backlog[0])
    assert characters.load(team[0]) == 0


def test_a_new_contact_waits_behind_the_older_ones_and_says_why(team, bot, backlog):
    comes_on_duty(team[0])
    comes_on_duty(team[1])
    newcomer = characters.contact(bot)
    assert newcomer.waiting_reason == "all_capped"
    assert set(Contact.objects.waiting().values_list("waiting_reason", flat=True)) == {"all_capped"}


def test_somebody_paced_gets_a_new_contact_when_nothing_older_waits(at, team, bot):
    waits = characters.contact(bot)
    comes_on_duty(team[0])
    assert lifecycle.find_contact(waits.pk).operator_id == team[0].pk
    assert characters.contact(bot).operator_id == team[0].pk
    assert characters.load(team[0]) == 2


def test_what_comes_back_to_the_queue_meanwhile_keeps_its_place(at, team, bot, backlog):
    comes_on_duty(team[0])
    comes_on_duty(team[1])
    lifecycle.return_contact(contact_id=backlog[0])
    let_pass(at, 30, step=30)
    assert {(operator_id, pk) for operator_id, pk, moment in given() if moment == 30.0} == {
        (team[1].pk, backlog[0]),
        (team[0].pk, backlog[2]),
    }


def test_a_reopened_contact_does_not_overtake_what_waits_for_a_paced_operator(team, bot, backlog):
    comes_on_duty(team[0])
    young = characters.contact(bot)
    lifecycle.force_contact(contact_id=young.pk, operator_id=team[0].pk)
    lifecycle.resolve_contact(contact_id=young.pk)
    lifecycle.resolve_contact(contact_id=backlog[0])
    assert lifecycle.reopen_contact(contact_id=young.pk).status == "waiting"
    assert lifecycle.reopen_contact(contact_id=backlog[0]).operator_id == team[0].pk


def test_a_handed_over_contact_is_not_out_of_the_queue(at, team, bot):
    anna, boris = team
    comes_on_duty(anna)
    for _ in range(3):
        characters.contact(bot)
    comes_on_duty(boris)
    assert operator_actions.hand_over(operator_id=anna.pk).reassigned == 3
    assert Operator.objects.get(pk=boris.pk).paced_until is None


def test_the_service_has_a_pace_for_those_without_one(settings, team, backlog):
    settings.QUEUE_PACE = 1
    Operator.objects.update(queue_pace=None)
    comes_on_duty(team[0])
    assert Operator.objects.get(pk=team[0].pk).paced_until == NOON + timedelta(minutes=1)


def test_without_a_pace_everything_comes_at_once(team, backlog):
    Operator.objects.update(queue_pace=None)
    comes_on_duty(team[0])
    assert characters.load(team[0]) == 30


def test_a_pace_that_is_taken_away_gives_the_rest_at_once(team, backlog):
    comes_on_duty(team[0])
    operator_actions.change_operator(operator_id=team[0].pk, changes={"queue_pace": None})
    assert characters.load(team[0]) == 30


def test_a_quicker_pace_shortens_the_wait(team, backlog):
    comes_on_duty(team[0])
    operator_actions.change_operator(operator_id=team[0].pk, changes={"queue_pace": 60})
    assert Operator.objects.get(pk=team[0].pk).paced_until == NOON + timedelta(seconds=1)


def test_two_clocks_at_the_same_moment_give_one(at, team, backlog):
    comes_on_duty(team[0])
    at.shift(timedelta(seconds=30))
    clock.tick()
    clock.tick()
    assert characters.load(team[0]) == 2


def test_nobody_is_forgotten_while_paced(team, backlog):
    comes_on_duty(team[0])
    assert characters.findings() == []
    Operator.objects.update(paced_until=None)
    assert f"Contact {backlog[1]} waits although an operator of its source is free." in characters.findings()


def test_ready_means_the_same_in_python_and_in_sql(team):
    for fields in ({}, {"paced_until": NOON}, {"capped_until": NOON}, {"paced_until": NOON, "is_active": False}):
        somebody = characters.operator(**fields)
        assert Operator.objects.ready().filter(pk=somebody.pk).exists() == (somebody.queue_obstacle is None)
        assert Operator.objects.free().filter(pk=somebody.pk).exists() == (somebody.obstacle is None)


def test_a_decision_out_of_the_queue_names_who_is_paced(at, team, backlog):
    comes_on_duty(team[0])
    comes_on_duty(team[1])
    why = explanation.explain_decision(contact_id=backlog[1])
    assert {one.operator_id: one.reason for one in why.candidates} == {team[0].pk: "paced", team[1].pk: None}
