"""Rosters and sources change while contacts are assigned: nobody gets one after the change was answered."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from core.db import compiled
from core.db.compiled import Update
from core.errors import Conflict, Unknown
from core.retry import LostRace
from leads import batch, contact_import, registration
from operators.load import taking
from operators.models import Operator
from routing import assignment, history, lifecycle, operator_actions, queue, roster_writing, source_actions
from routing.models import Contact, RosterEntry
from routing.roster_writing import write_roster
from tests import characters
from tests.concurrency.threads import TIMEOUT, Pause, closing, until_somebody_waits_for_a_lock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def anna():
    """The only operator on duty, to whom every path leads."""
    return characters.operator("Anna", is_active=False)


@pytest.fixture
def boris():
    return characters.operator("Boris")


@pytest.fixture
def bot(anna, boris):
    return characters.source(roster={anna: 10, boris: 10})


@pytest.fixture
def contact_of_boris(bot, boris):
    contact = characters.contact(bot)
    assert contact.operator_id == boris.pk
    return contact


def comes_on_duty(anna, *, without=None):
    """Nothing drains the queue: the test does what comes next."""
    Operator.objects.filter(pk=anna.pk).update(is_active=True)
    if without:
        Operator.objects.filter(pk=without.pk).update(is_active=False)


def register(bot):
    with suppress(Unknown):
        characters.contact(bot)


def register_batch(bot):
    batch.register_contacts(items=[{"source_id": bot.pk, "lead_phone": characters.somebody_new()}])


def import_row(bot):
    row = contact_import.Row(2, {"lead_phone": characters.somebody_new()})
    list(contact_import.import_contacts(rows=[row], source_id=bot.pk))


def drain(bot):
    for operator in Operator.objects.all():
        queue.serve_operator(operator.pk)


def hand_over(bot):
    with suppress(Unknown):
        operator_actions.hand_over(operator_id=Operator.objects.get(name="Boris").pk)


def reopen(bot):
    lifecycle.reopen_contact(contact_id=Contact.objects.get().pk)


def reroute(bot):
    with suppress(Conflict):
        lifecycle.reroute_contact(contact_id=Contact.objects.get().pk)


@pytest.fixture(
    params=[register, "late", register_batch, import_row, drain, hand_over, reopen, reroute],
    ids=lambda path: getattr(path, "__name__", path),
)
def path(request, anna, boris, bot, monkeypatch):
    """A way on which Anna gets a contact, and everything that it needs."""
    if request.param in (hand_over, reopen, reroute, drain):
        contact = characters.contact(bot)
    if request.param is drain:
        lifecycle.return_contact(contact_id=contact.pk)
    if request.param is reopen:
        lifecycle.resolve_contact(contact_id=contact.pk)
    comes_on_duty(anna, without=boris)
    if request.param == "late":  # as after a lost race
        assign = assignment.assign
        monkeypatch.setattr(registration, "assign", lambda *, attempt, **asked: assign(attempt=attempt + 1, **asked))
    act = register if request.param == "late" else request.param
    return lambda: act(bot)


@pytest.fixture(params=["leaves", "closed"])
def change(request, leave, bot):
    """A change after which Anna gets no contact of the bot."""
    return leave if request.param == "leaves" else lambda: source_actions.archive_source(source_id=bot.pk)


@pytest.fixture
def leave(anna, bot):
    return lambda: source_actions.remove_from_roster(source_id=bot.pk, operator_id=anna.pk)


def of_anna(anna):
    return Contact.objects.open().filter(operator=anna).count()


def test_a_change_waits_for_a_contact_that_is_just_being_assigned(anna, path, change, monkeypatch):
    """Otherwise it would be answered, and the contact stored after it."""
    decided = Pause()
    monkeypatch.setattr(history, "publish_move", decided.stops_once(history.publish_move))
    with ThreadPoolExecutor(2) as pool:
        assigning = pool.submit(closing, path)
        try:
            assert decided.reached.wait(60)
            changing = pool.submit(closing, change)
            until_somebody_waits_for_a_lock()
            assert not changing.done()
        finally:
            decided.go_on.set()
        assigning.result(TIMEOUT)
        changing.result(TIMEOUT)
    assert of_anna(anna) == 1


def unlocked(operator_ids):
    return {operator.pk: operator for operator in Operator.objects.filter(pk__in=list(operator_ids))}


def test_without_the_lock_a_change_is_answered_before_the_contact_is_stored(anna, bot, change, monkeypatch):
    """The control for the test above."""
    comes_on_duty(anna, without=Operator.objects.get(name="Boris"))
    for module in (roster_writing, source_actions):
        monkeypatch.setattr(module, "lock_operators", unlocked)
    decided = Pause()
    monkeypatch.setattr(history, "publish_move", decided.stops_once(history.publish_move))
    with ThreadPoolExecutor(2) as pool:
        assigning = pool.submit(closing, lambda: register(bot))
        try:
            assert decided.reached.wait(60)
            pool.submit(closing, change).result(60)
            assert of_anna(anna) == 0
        finally:
            decided.go_on.set()
        assigning.result(TIMEOUT)
    assert of_anna(anna) == 1


def assign_while_changing(path, change, monkeypatch):
    """The change is made and not committed while the contact is being assigned."""
    changed = Pause()
    monkeypatch.setattr(source_actions, "write_roster", changed.stops_once(write_roster))
    monkeypatch.setattr(queue, "set_waiting_reason", changed.stops_once(queue.set_waiting_reason))
    with ThreadPoolExecutor(2) as pool:
        changing = pool.submit(closing, change)
        try:
            assert changed.reached.wait(60)
            assigning = pool.submit(closing, path)
            until_somebody_waits_for_a_lock()
        finally:
            changed.go_on.set()
        changing.result(TIMEOUT)
        assigning.result(TIMEOUT)


def test_a_contact_sees_a_change_for_which_it_has_waited(anna, path, change, monkeypatch):
    assign_while_changing(path, change, monkeypatch)
    assert of_anna(anna) == 0
    assert characters.findings() == []


@pytest.fixture
def blind(monkeypatch):
    """Nobody looks at the roster again under the lock."""
    take = Update(lambda operator, source, older_than: taking(Operator.objects.free().filter(pk=operator)))
    monkeypatch.setattr(assignment, "take_in_turn", lambda one_more, names: take)
    always = compiled.Exists(lambda source, operator: Operator.objects.filter(pk=operator))
    monkeypatch.setattr(assignment, "IS_ON_ROSTER", always)


def test_without_looking_again_under_the_lock_it_goes_where_it_must_not(anna, bot, change, blind, monkeypatch):
    """The control for the test above."""
    comes_on_duty(anna, without=Operator.objects.get(name="Boris"))
    assign_while_changing(lambda: register(bot), change, monkeypatch)
    assert of_anna(anna) == 1


def test_a_weight_is_not_set_for_somebody_who_is_just_being_archived(anna, bot, monkeypatch):
    archived = Pause()
    leave = assignment.LockedRosters.leave
    monkeypatch.setattr(assignment.LockedRosters, "leave", archived.stops_once(leave))
    with ThreadPoolExecutor(2) as pool:
        archiving = pool.submit(closing, lambda: operator_actions.archive_operator(operator_id=anna.pk))
        try:
            assert archived.reached.wait(60)
            setting = pool.submit(
                closing, lambda: source_actions.set_weight(source_id=bot.pk, operator_id=anna.pk, weight=7)
            )
            until_somebody_waits_for_a_lock()
        finally:
            archived.go_on.set()
        archiving.result(TIMEOUT)
        with pytest.raises(Unknown):
            setting.result(TIMEOUT)
    assert RosterEntry.objects.get(operator=anna).weight == 10


def test_an_item_of_a_batch_whose_source_was_closed_after_the_batch_was_read_is_refused(anna, bot, monkeypatch):
    """Also when the batch starts again; the other items are registered."""
    comes_on_duty(anna)
    other = characters.source(roster={anna: 10})
    together, calls = batch.register_together, []

    def close_and_start_again(*args):
        calls.append(args)
        if len(calls) == 1:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(closing, lambda: source_actions.archive_source(source_id=bot.pk)).result(60)
            raise LostRace
        return together(*args)

    monkeypatch.setattr(batch, "register_together", close_and_start_again)
    items = [{"source_id": source.pk, "lead_phone": characters.somebody_new()} for source in (bot, other)]
    refused, registered = batch.register_contacts(items=items)
    assert isinstance(refused, Unknown)
    assert registered == Contact.objects.get(operator=anna)
