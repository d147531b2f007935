"""Two people change one contact at once: one of them changes it, the other finds it changed."""

from contextlib import suppress
from threading import Barrier

import pytest

from core.db.compiled import Update
from core.errors import Conflict
from routing import contact_changes, lifecycle
from routing.models import Contact
from tests import characters
from tests.concurrency.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def anna():
    return characters.operator(limit=2)


@pytest.fixture
def contact(anna):
    """One of two contacts that Anna has; both who want to change it have read it before either of them goes on."""
    bot = characters.source(roster={anna: 10})
    characters.contact(bot)
    return characters.contact(bot)


@pytest.fixture(autouse=True)
def both_have_read_it(monkeypatch):
    both, find = Barrier(2), lifecycle.find_contact
    meetings = iter([both.wait] * 2)

    def find_and_meet(*asked):
        found = find(*asked)
        meet = next(meetings, None)
        if meet:
            meet(60)
        return found

    monkeypatch.setattr(lifecycle, "find_contact", find_and_meet)


def resolve_twice(contact):
    together(*[lambda: lifecycle.resolve_contact(contact_id=contact.pk)] * 2)


def test_resolving_it_twice_at_once_frees_one_place(anna, contact):
    resolve_twice(contact)
    assert characters.load(anna) == 1
    assert contact.history.filter(what="resolved").count() == 1


def test_without_looking_again_under_the_lock_two_places_are_freed(anna, contact, monkeypatch):
    """The control for the test above."""

    def update_unseen(names, is_assigned, empty):
        """Finds the contact whatever has become of it."""

        def build(pk, *values):
            new = values[1:] if is_assigned else values
            return Contact.objects.filter(pk=pk), dict(zip(names, new, strict=True))

        return Update(build, parameters=1 + is_assigned + len(names))

    monkeypatch.setattr(contact_changes, "update_of", update_unseen)
    resolve_twice(contact)
    assert characters.load(anna) == 0
    assert [text for text in characters.findings() if "has a load of 0, but 1 open contacts" in text]


def test_resolving_it_while_it_is_put_back_leaves_load_and_contact_in_agreement(anna, contact):
    together(
        lambda: lifecycle.resolve_contact(contact_id=contact.pk),
        lambda: put_back_unless_resolved(contact),
    )
    assert characters.load(anna) == 1
    assert characters.findings() == []


@pytest.fixture
def boris():
    return characters.operator("Boris")


def resolve_as_of_anna_while_it_is_given_to_boris(anna, boris, contact):
    with suppress(Conflict):
        together(
            lambda: lifecycle.resolve_contact(contact_id=contact.pk, expected_operator_id=anna.pk),
            lambda: give_unless_resolved(contact, boris),
        )
    return Contact.objects.get(pk=contact.pk)


def give_unless_resolved(contact, operator):
    with suppress(Conflict):
        lifecycle.give_contact(contact_id=contact.pk, operator_id=operator.pk)


@pytest.mark.parametrize("run", range(5))
def test_what_was_expected_of_a_contact_holds_when_it_is_changed(anna, boris, contact, run):
    found = resolve_as_of_anna_while_it_is_given_to_boris(anna, boris, contact)
    assert (found.is_resolved, found.operator_id) in [(True, anna.pk), (False, boris.pk)]
    assert characters.findings() == []


def put_back_unless_resolved(contact):
    with suppress(Conflict):
        lifecycle.return_contact(contact_id=contact.pk)
