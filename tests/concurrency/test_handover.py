"""Operators hand over, go and come while everybody else works: no deadlock, and nobody is left with contacts."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from threading import Barrier, BrokenBarrierError

import pytest
from rest_framework.test import APIClient

from core import events
from core.errors import Conflict, Unknown
from core.retry import Lost
from operators.load import lock_operators
from operators.models import Operator
from routing import assignment, handover, history, lifecycle, operator_actions, source_actions
from routing.models import Contact, Source
from tests import characters
from tests.concurrency.threads import TIMEOUT, Pause, closing, together, until_somebody_waits_for_a_lock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def lost(monkeypatch):
    """The causes for which transactions have started again."""
    causes = []
    monkeypatch.setattr(
        events, "listeners", [lambda event: causes.append(event.cause) if type(event) is Lost else None]
    )
    return causes


@pytest.fixture
def team():
    """Six operators on three sources, each of which shares some with the next."""
    members = [characters.operator(f"Operator {number}", limit=20) for number in range(6)]
    for start in range(0, 6, 2):
        bot = characters.source(roster={members[(start + step) % 6]: 10 + step for step in range(4)})
        Source.objects.filter(pk=bot.pk).update(strategy="smooth" if start == 2 else "weighted_random")
    for bot in Source.objects.all():
        for _ in range(12):
            characters.contact(bot)
    return members


def work(team, seed):
    """What happens in a team where many people change: hand-overs, changes of duty, of rosters, by hand."""
    chance, bots = Random(seed), list(Source.objects.order_by("pk"))
    for _ in range(12):
        one, bot = chance.choice(team), chance.choice(bots)
        with suppress(Conflict, Unknown):
            chance.choice(
                [
                    lambda one=one: operator_actions.hand_over(operator_id=one.pk),
                    lambda one=one: operator_actions.hand_over_on_duty(operator_id=one.pk),
                    lambda one=one: operator_actions.change_operator(operator_id=one.pk, changes={"is_active": True}),
                    lambda bot=bot: source_actions.replace_roster(source_id=bot.pk, weights=shuffled(chance, team)),
                    lambda bot=bot: characters.contact(bot),
                    lambda one=one: give_any(chance, one),
                ]
            )()


def shuffled(chance, team):
    return [{"operator_id": one.pk, "weight": 10} for one in chance.sample(team, 4)]


def give_any(chance, operator):
    pk = chance.choice(list(Contact.objects.order_by("pk").values_list("pk", flat=True)))
    lifecycle.force_contact(contact_id=pk, operator_id=operator.pk)


def test_hand_overs_and_all_who_change_the_same_people_never_deadlock(team, lost):
    together(*[lambda seed=seed: work(team, seed) for seed in range(8)])
    assert set(lost) <= {"overtaken"}
    assert characters.findings() == []


def test_without_the_order_of_locks_two_who_hand_over_deadlock(lost, monkeypatch):
    """The control for the test above: each locks itself first, and then the other one."""
    pair = [characters.operator(name) for name in ("Anna", "Boris")]
    bot = characters.source(roster=dict.fromkeys(pair, 10))
    for one in pair:
        lifecycle.force_contact(contact_id=characters.contact(bot).pk, operator_id=one.pk)
    own, both_hold_one = threading.local(), Barrier(2)

    def lock_own_first(operator_ids):
        locked = lock_operators([own.pk])
        with suppress(BrokenBarrierError):  # nobody comes to the second meeting
            both_hold_one.wait(0.01 if both_hold_one.broken or hasattr(own, "met") else TIMEOUT)
        own.met = True
        return locked | lock_operators(operator_ids)

    def hand_over(one):
        own.pk = one.pk
        return operator_actions.hand_over_on_duty(operator_id=one.pk)

    monkeypatch.setattr(assignment, "lock_operators", lock_own_first)
    together(*[lambda one=one: hand_over(one) for one in pair])
    assert "deadlock" in lost


def test_a_bystander_is_changed_after_a_hand_over_that_is_under_way(monkeypatch):
    leaving, bystander = characters.operator("Leaving", limit=100), characters.operator("Bystander", limit=100)
    bot = characters.source(roster={leaving: 10})
    for _ in range(3):
        characters.contact(bot)
    source_actions.set_weight(source_id=bot.pk, operator_id=bystander.pk, weight=10)
    decided = Pause()
    monkeypatch.setattr(history, "publish_move", decided.stops_once(history.publish_move))
    with ThreadPoolExecutor(2) as pool:
        handing_over = pool.submit(closing, lambda: operator_actions.hand_over(operator_id=leaving.pk))
        try:
            assert decided.reached.wait(60)
            url = f"/api/v1/operators/{bystander.pk}"
            changing = pool.submit(closing, lambda: APIClient().patch(url, {"max_load": 50}))
            until_somebody_waits_for_a_lock()
        finally:
            decided.go_on.set()
        assert handing_over.result(TIMEOUT).reassigned == 3
        answer = changing.result(TIMEOUT)
    assert (answer.status_code, answer.json()["max_load"], answer.json()["current_load"]) == (200, 50, 3)


@pytest.fixture
def leaving():
    return characters.operator("Leaving")


@pytest.fixture
def bot(leaving):
    return characters.source(roster={leaving: 10})


def given_while_locking(monkeypatch, leaving):
    """A contact of another source is given by hand after the hand-over has seen which sources are concerned."""
    other = characters.source(roster={characters.operator("Other", limit=1): 10})
    characters.contact(other)
    waiting = characters.contact(other)
    lock = assignment.LockedRosters

    def give_first(*args, **kwargs):
        monkeypatch.setattr(handover, "LockedRosters", lock)
        together(lambda: lifecycle.give_contact(contact_id=waiting.pk, operator_id=leaving.pk))
        return lock(*args, **kwargs)

    monkeypatch.setattr(handover, "LockedRosters", give_first)
    return waiting


def test_a_contact_that_comes_while_the_hand_over_waits_for_its_locks_is_handed_over_too(leaving, bot, monkeypatch):
    characters.contact(bot)
    waiting = given_while_locking(monkeypatch, leaving)
    count = operator_actions.hand_over(operator_id=leaving.pk)
    assert count.queued == 2
    assert lifecycle.find_contact(waiting.pk).operator_id is None
    assert characters.findings() == []


@pytest.mark.parametrize("verb", [operator_actions.hand_over, operator_actions.archive_operator])
def test_whoever_leaves_has_no_contact_though_bots_write_meanwhile(leaving, bot, verb):
    together(*[lambda: characters.contact(bot)] * 12, lambda: verb(operator_id=leaving.pk))
    assert characters.load(leaving) == 0
    assert Contact.objects.waiting().count() == 12
    assert characters.findings() == []


def test_without_the_locks_somebody_who_has_left_gets_a_contact(leaving, bot, monkeypatch):
    """The control for the test above: the hand-over sees what there is, and a contact is stored after that."""
    stored = Pause()
    monkeypatch.setattr(history, "publish_move", stored.stops_once(history.publish_move))
    lock = assignment.LockedRosters

    def unlocked(*args, **kwargs):
        monkeypatch.setattr(assignment, "lock_operators", look)
        return lock(*args, **kwargs)

    def look(operator_ids):
        return {operator.pk: operator for operator in Operator.objects.filter(pk__in=list(operator_ids))}

    monkeypatch.setattr(handover, "LockedRosters", unlocked)
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(closing, lambda: characters.contact(bot))
        try:
            assert stored.reached.wait(60)
            # On duty, because going off duty would wait for the same row.
            handing_over = pool.submit(closing, lambda: operator_actions.hand_over_on_duty(operator_id=leaving.pk))
            assert handing_over.result(60) == handover.HandoverCount()
        finally:
            stored.go_on.set()
        writing.result(TIMEOUT)
    assert characters.load(leaving) == 1
