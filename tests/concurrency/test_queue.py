"""Nobody is forgotten, however intake and resolving interleave."""

from contextlib import suppress
from functools import partial
from itertools import pairwise
from random import Random

import pytest

from core import events, retry
from core.db import writes
from leads import registration
from operators.load import lock_operators
from operators.models import Operator
from routing import assignment, lifecycle, queue
from routing.models import Contact
from tests import characters
from tests.concurrency.threads import TIMEOUT, Pause, together

pytestmark = pytest.mark.django_db(transaction=True)


def resolve_what_is_open(times, seed):
    """One operator at work: closes any open contact, again and again."""
    chance = Random(seed)

    def work():
        for _ in range(times):
            pks = list(Contact.objects.open().values_list("pk", flat=True))
            if pks:
                lifecycle.resolve_contact(contact_id=chance.choice(pks))

    return work


def write(source, times):
    def work():
        for _ in range(times):
            characters.contact(source)

    return work


@pytest.mark.parametrize("run", range(10 if characters.ON_POSTGRESQL else 4))
def test_at_rest_nothing_waits_while_a_place_is_free(run):
    team = [characters.operator(f"Operator {number}", limit=2) for number in range(3)]
    sources = [characters.source(roster=dict.fromkeys(pair, 10)) for pair in pairwise(team)]
    bots = [write(sources[number % 2], 4) for number in range(8)]
    workers = [resolve_what_is_open(4, number) for number in range(8)]
    together(*bots, *workers)
    assert characters.findings() == []


@pytest.fixture
def lost_races():
    """The causes, in this process."""
    causes: list[str] = []

    def note(event):
        if isinstance(event, retry.Lost):
            causes.append(event.cause)

    events.listeners.append(note)
    yield causes
    events.listeners.remove(note)


@pytest.fixture
def anna():
    return characters.operator(limit=1)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


@pytest.mark.postgresql
def test_a_place_freed_while_a_contact_is_being_queued_is_found(anna, bot, monkeypatch):
    """The newcomer has seen that all are full, and stops before its commit; the place becomes free meanwhile."""
    served = characters.contact(bot)
    before_commit, assign = Pause(), assignment.assign

    def assign_slowly(**asked):
        found = assign(**asked)
        if found.operator_id is None and not before_commit.reached.is_set():
            before_commit()
        return found

    monkeypatch.setattr(registration, "assign", assign_slowly)

    def resolve():
        assert before_commit.reached.wait(TIMEOUT)
        lifecycle.resolve_contact(contact_id=served.pk)
        before_commit.go_on.set()

    newcomer, _ = together(lambda: characters.contact(bot), resolve)
    assert newcomer.operator_id == anna.pk


@pytest.mark.postgresql
def test_without_the_second_look_that_contact_is_forgotten(anna, bot, monkeypatch):
    """The control for the test above."""
    monkeypatch.setattr(queue, "serve_new_waiting", lambda contacts, **_: contacts)
    with pytest.raises(AssertionError, match="None"):
        test_a_place_freed_while_a_contact_is_being_queued_is_found(anna, bot, monkeypatch)
    assert len(characters.findings()) == 1


@pytest.mark.postgresql
def test_a_contact_queued_while_a_place_is_being_freed_is_found(anna, bot, monkeypatch):
    """The place is free but not committed, and stops there; the newcomer sees that all are full and waits."""
    served = characters.contact(bot)
    before_commit, store = Pause(), writes.store

    def store_slowly(*parts):
        store(*parts)
        before_commit()

    monkeypatch.setattr(lifecycle, "store", store_slowly)

    def register():
        assert before_commit.reached.wait(TIMEOUT)
        contact = characters.contact(bot)
        before_commit.go_on.set()
        return contact

    _, newcomer = together(lambda: lifecycle.resolve_contact(contact_id=served.pk), register)
    assert newcomer.operator_id is None  # when it was answered
    assert lifecycle.find_contact(newcomer.pk).operator_id == anna.pk


@pytest.mark.postgresql
def test_without_draining_that_contact_is_forgotten(anna, bot, monkeypatch):
    """The control for the test above."""
    monkeypatch.setattr(queue, "serve_operator", lambda operator_id: 0)
    with suppress(AssertionError):
        test_a_contact_queued_while_a_place_is_being_freed_is_found(anna, bot, monkeypatch)
    assert len(characters.findings()) == 1


def test_contacts_are_served_in_the_order_in_which_they_came(anna, bot):
    contacts = [characters.contact(bot).pk for _ in range(9)]

    def resolve_current():
        for _ in range(2):
            pk = Contact.objects.open().values_list("pk", flat=True).first()
            lifecycle.resolve_contact(contact_id=pk or contacts[0])

    together(*[resolve_current] * 4)
    resolved = Contact.objects.resolved().count()
    statuses = [lifecycle.find_contact(pk).status for pk in contacts]
    assert statuses == ["resolved"] * resolved + ["assigned"] + ["waiting"] * (8 - resolved)


@pytest.mark.postgresql
def test_who_has_just_filled_up_is_not_waited_for_though_somebody_older_does(monkeypatch):
    """Whoever drew that one draws again, and gets another at once."""
    anna = characters.operator("Anna", limit=1, is_active=False)
    boris = characters.operator("Boris")
    characters.contact(characters.source(roster={anna: 10}))
    both = characters.source(roster={anna: 10, boris: 10})
    Operator.objects.filter(pk=anna.pk).update(is_active=True)
    lock = lock_operators

    def fill_up_first(operator_ids):
        monkeypatch.setattr(assignment, "lock_operators", lock)
        together(lambda: Operator.objects.filter(pk=anna.pk).update(current_load=1))
        return lock(operator_ids)

    monkeypatch.setattr(assignment, "lock_operators", fill_up_first)
    contact = characters.contact(both, draw=lambda: 0.0)
    assert contact.operator_id == boris.pk
    assert contact.history.values_list("what", flat=True).get() == "registered"


@pytest.mark.postgresql
def test_those_who_drain_one_source_take_turns_and_lose_no_race(lost_races):
    team = [characters.operator(f"Operator {number}", limit=2) for number in range(4)]
    bot = characters.source(roster=dict.fromkeys(team, 10))
    held = [characters.contact(bot) for _ in range(8)]
    waiting = [characters.contact(bot) for _ in range(10)]
    together(*[partial(lifecycle.resolve_contact, contact_id=contact.pk) for contact in held])
    served = Contact.objects.open().filter(operator__isnull=False)
    assert set(served.values_list("pk", flat=True)) == {contact.pk for contact in waiting[:8]}
    assert lost_races == []
