"""Edges of duty are done once, however many workers do them at the same moment, and whole or not at all."""

from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError

import pytest
from django.utils import timezone

from core.changes.models import Change
from core.errors import Conflict
from operators.models import Absence, Operator
from routing import duty_edges, handover, operator_actions
from routing.models import ContactEvent
from tests import characters
from tests.concurrency.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

WORKERS = 4


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=100)


@pytest.fixture
def boris():
    return characters.operator("Boris", limit=100, is_active=False)


@pytest.fixture
def begin(anna, boris):
    """When Anna's absence begins, with ten contacts to hand over to Boris."""
    bot = characters.source(roster={anna: 10, boris: 10})
    for _ in range(10):
        characters.contact(bot)
    operator_actions.change_operator(operator_id=boris.pk, changes={"is_active": True})
    start = timezone.now() + timedelta(minutes=1)
    end = start + timedelta(days=1)
    duty_edges.add_absence(operator_id=anna.pk, start=start, end=end, handover=True)
    return start


def turned_off():
    return Change.objects.filter(via="schedule", after__is_active=False).count()


def moved():
    return ContactEvent.objects.filter(what="handed_over").count()


def test_an_absence_begins_once_and_hands_over_once(anna, boris, begin):
    together(*[lambda: duty_edges.turn_edges(begin)] * WORKERS)
    assert (turned_off(), moved()) == (1, 10)
    assert (characters.load(anna), characters.load(boris)) == (0, 10)
    assert sorted(to for _contact, to in Absence.objects.get().moved or []) == [boris.pk] * 10
    assert characters.findings() == []


def test_who_does_not_look_again_under_the_lock_turns_it_twice(anna, begin, monkeypatch):
    """The control for the test above."""
    met, make_up = Barrier(WORKERS), duty_edges.make_up_edges

    def all_have_looked(plan, now):
        with suppress(BrokenBarrierError):
            met.wait(10)
        return make_up(plan, now)

    Absence.objects.update(handover=False)
    monkeypatch.setattr(duty_edges, "lock_current", lambda pk: Operator.objects.get(pk=pk))
    monkeypatch.setattr(duty_edges, "make_up_edges", all_have_looked)
    together(*[lambda: duty_edges.turn_edges(begin)] * WORKERS)
    assert turned_off() > 1


def test_clocks_half_a_minute_apart_do_nothing_twice(anna, boris, begin):
    apart = [begin + timedelta(seconds=seconds) for seconds in (-30, 0, 30)]
    together(*[lambda now=now: duty_edges.turn_edges(now) for now in apart])
    assert (turned_off(), moved()) == (1, 10)


def test_a_worker_killed_between_edge_and_hand_over_has_done_nothing(anna, boris, begin, monkeypatch):
    def die(self):
        raise SystemExit

    store = handover.Handover.store
    monkeypatch.setattr(handover.Handover, "store", die)
    with pytest.raises(SystemExit):
        duty_edges.turn_edges(begin)
    monkeypatch.setattr(handover.Handover, "store", store)
    assert (turned_off(), moved(), characters.load(anna)) == (0, 0, 10)
    assert Absence.objects.get().began_at is None
    duty_edges.turn_edges(begin)
    assert (turned_off(), moved(), characters.load(anna)) == (1, 10, 0)


def test_a_change_by_hand_at_the_moment_of_the_edge_comes_before_or_after_it(anna, begin):
    together(
        lambda: duty_edges.turn_edges(begin),
        lambda: operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False}),
        lambda: duty_edges.pause_operator(operator_id=anna.pk, minutes=5),
    )
    assert not Operator.objects.get(pk=anna.pk).is_active
    assert characters.load(anna) == 0
    assert characters.findings() == []


def test_of_overlapping_absences_sent_together_one_is_stored(anna, begin):
    start = begin + timedelta(days=2)

    def add():
        with suppress(Conflict):
            duty_edges.add_absence(operator_id=anna.pk, start=start, end=start + timedelta(days=1))

    together(*[add] * WORKERS)
    assert Absence.objects.filter(start=start).count() == 1
