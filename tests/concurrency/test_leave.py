"""A leave is undone while colleagues take and finish what they got: each contact is with one of both."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.utils import timezone

from core.changes.models import Via
from core.changes.recording import Author
from core.errors import Conflict
from operators.models import Operator
from routing import history, leave, lifecycle, source_actions, taking
from routing.models import Contact
from routing.models.contact import ContactQuerySet
from tests import characters
from tests.concurrency.threads import Pause, together, wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

VERA = Author("user vera", Via.PAGE)


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=20)


@pytest.fixture
def boris():
    return characters.operator("Boris", limit=20)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


def go_on_leave(anna, boris, bot, *, contacts):
    """The leave, which has moved so many contacts to Boris."""
    for _ in range(contacts):
        characters.contact(bot)
    source_actions.set_weight(source_id=bot.pk, operator_id=boris.pk, weight=10)
    now = timezone.now()
    end = now + timedelta(days=5)
    return leave.apply_leave(operator_id=anna.pk, start=now, end=end, handover=True, author=VERA)


def undo(absence):
    return leave.undo_leave(absence_id=absence.pk, author=VERA)


def accept(contact_id, boris):
    return taking.accept_contact(contact_id=contact_id, expected_operator_id=boris.pk)


def resolve(contact_id, boris):
    return lifecycle.resolve_contact(contact_id=contact_id, expected_operator_id=boris.pk)


@pytest.mark.parametrize("verb", [accept, resolve])
def test_each_contact_is_given_back_or_kept_by_the_colleague(anna, boris, bot, verb):
    absence = go_on_leave(anna, boris, bot, contacts=12)
    moved = [pk for pk, _ in absence.moved]

    def touch(pk):
        with suppress(Conflict):
            verb(pk, boris)

    results = together(lambda: undo(absence), lambda: undo(absence), *[lambda pk=pk: touch(pk) for pk in moved])
    given_back = sorted(results[0].given_back + results[1].given_back)
    assert given_back == sorted(Contact.objects.filter(operator=anna).values_list("pk", flat=True))
    kept = Contact.objects.filter(operator=boris)
    assert all(contact.accepted_at or contact.is_resolved for contact in kept)
    assert sorted([*given_back, *kept.values_list("pk", flat=True)]) == moved
    assert characters.findings() == []


def test_who_takes_a_contact_while_it_is_given_back_comes_too_late(anna, boris, bot, monkeypatch):
    absence = go_on_leave(anna, boris, bot, contacts=1)
    pause = Pause()
    monkeypatch.setattr(history, "publish_move", pause.stops_once(history.publish_move))
    [[pk, _]] = absence.moved
    result, refusal = wait_for(pause, lambda: undo(absence), lambda: accept(pk, boris))
    assert (result.given_back, refusal.code) == ([pk], "taken_away")
    assert characters.findings() == []


def test_what_is_being_taken_is_left_there(anna, boris, bot, monkeypatch):
    absence = go_on_leave(anna, boris, bot, contacts=1)
    pause = Pause()
    monkeypatch.setattr(history, "publish_move", pause.stops_once(history.publish_move))
    [[pk, _]] = absence.moved
    _, result = wait_for(pause, lambda: accept(pk, boris), lambda: undo(absence))
    assert (result.given_back, result.moved_on) == ([], [pk])
    assert characters.findings() == []


def test_without_the_locks_a_contact_is_counted_for_somebody_who_has_not_got_it(anna, boris, bot, monkeypatch):
    """The control for the tests above: the contact is taken after the undo has looked at it."""
    absence = go_on_leave(anna, boris, bot, contacts=1)
    [[pk, _]] = absence.moved
    store_return = leave.store_return

    def take_first(*args):
        together(lambda: accept(pk, boris))
        store_return(*args)

    def look(operator_ids):
        return Operator.objects.in_bulk([pk for pk in operator_ids if pk])

    monkeypatch.setattr(leave, "store_return", take_first)
    monkeypatch.setattr(leave, "lock_operators", look)
    monkeypatch.setattr(ContactQuerySet, "select_for_update", lambda contacts, **kwargs: contacts)
    undo(absence)
    assert Contact.objects.get().operator_id == boris.pk
    assert characters.findings() != []
