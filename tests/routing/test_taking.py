"""An operator takes a contact, or replies to the client: when it happened is kept, until somebody else has it."""

import pytest

from core.errors import Conflict, Unknown
from routing import lifecycle, taking
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db

VERBS = [taking.accept_contact, taking.touch_contact, taking.decline_contact]


@pytest.fixture
def anna():
    return characters.operator("Anna")


@pytest.fixture
def boris():
    return characters.operator("Boris", is_active=False)


@pytest.fixture
def bot(anna, boris):
    return characters.source(roster={anna: 10, boris: 10})


@pytest.fixture
def with_anna(bot):
    return characters.contact(bot)


def kinds(contact):
    return list(contact.history.order_by("pk").values_list("what", flat=True))


def stored(contact):
    return Contact.objects.get(pk=contact.pk)


def test_a_new_contact_is_not_taken_yet(with_anna):
    assert (with_anna.is_untaken, with_anna.accepted_at, with_anna.offers) == (True, None, 1)
    assert list(Contact.objects.untaken()) == [with_anna]


def test_taking_it_keeps_the_moment(with_anna):
    taken = taking.accept_contact(contact_id=with_anna.pk)
    assert taken.accepted_at == stored(with_anna).accepted_at is not None
    assert (taken.first_reaction_at, taken.is_untaken) == (None, False)
    assert kinds(with_anna) == ["registered", "accepted"]


def test_taking_it_again_changes_nothing(with_anna):
    first = taking.accept_contact(contact_id=with_anna.pk)
    assert taking.accept_contact(contact_id=with_anna.pk).accepted_at == first.accepted_at
    assert kinds(with_anna) == ["registered", "accepted"]


def test_a_reply_takes_it_as_well(with_anna):
    replied = taking.touch_contact(contact_id=with_anna.pk)
    assert replied.first_reaction_at == replied.accepted_at == stored(with_anna).first_reaction_at is not None
    assert kinds(with_anna) == ["registered", "accepted", "touched"]


def test_only_the_first_reply_counts(with_anna):
    taken = taking.accept_contact(contact_id=with_anna.pk)
    first = taking.touch_contact(contact_id=with_anna.pk)
    again = taking.touch_contact(contact_id=with_anna.pk)
    assert (again.accepted_at, again.first_reaction_at) == (taken.accepted_at, first.first_reaction_at)
    assert kinds(with_anna) == ["registered", "accepted", "touched"]


@pytest.mark.parametrize("verb", VERBS)
def test_nobody_takes_or_declines_a_waiting_contact(verb, with_anna):
    lifecycle.return_contact(contact_id=with_anna.pk)
    with pytest.raises(Conflict, match="waits in the queue") as refusal:
        verb(contact_id=with_anna.pk)
    assert refusal.value.code == "waiting"
    assert kinds(with_anna) == ["registered", "returned"]


@pytest.mark.parametrize("verb", VERBS)
def test_nobody_takes_or_declines_a_resolved_contact(verb, with_anna):
    lifecycle.resolve_contact(contact_id=with_anna.pk)
    with pytest.raises(Conflict) as refusal:
        verb(contact_id=with_anna.pk)
    assert refusal.value.code == "resolved"
    assert kinds(with_anna) == ["registered", "resolved"]


@pytest.mark.parametrize("verb", VERBS)
def test_an_unknown_contact_is_refused(verb, db):
    with pytest.raises(Unknown):
        verb(contact_id=404)


@pytest.mark.parametrize("verb", VERBS)
def test_who_comes_too_late_is_told_who_has_it(verb, anna, boris, with_anna):
    lifecycle.force_contact(contact_id=with_anna.pk, operator_id=boris.pk)
    with pytest.raises(Conflict, match="Boris has this contact now") as refusal:
        verb(contact_id=with_anna.pk, expected_operator_id=anna.pk)
    assert refusal.value.code == "taken_away"
    assert kinds(with_anna) == ["registered", "given"]


@pytest.mark.parametrize("verb", VERBS)
def test_who_comes_too_late_is_told_that_it_waits(verb, anna, with_anna):
    lifecycle.return_contact(contact_id=with_anna.pk)
    with pytest.raises(Conflict, match="waits in the queue") as refusal:
        verb(contact_id=with_anna.pk, expected_operator_id=anna.pk)
    assert refusal.value.code == "taken_away"


CHANGES_OF_HANDS = {
    "given": lambda contact, boris: lifecycle.force_contact(contact_id=contact.pk, operator_id=boris.pk),
    "rerouted": lambda contact, boris: lifecycle.reroute_contact(contact_id=contact.pk),
    "returned": lambda contact, boris: lifecycle.return_contact(contact_id=contact.pk),
    "declined": lambda contact, boris: taking.decline_contact(contact_id=contact.pk),
}


@pytest.mark.parametrize("change", CHANGES_OF_HANDS.values(), ids=CHANGES_OF_HANDS)
def test_whoever_gets_it_next_has_not_taken_it_yet(change, boris, with_anna):
    taking.touch_contact(contact_id=with_anna.pk)
    type(boris).objects.update(is_active=True)
    change(with_anna, boris)
    found = stored(with_anna)
    assert (found.operator, found.is_untaken, found.first_reaction_at, found.offers) == (boris, True, None, 2)


def test_a_resolved_contact_keeps_when_it_was_taken(with_anna):
    taken = taking.accept_contact(contact_id=with_anna.pk)
    lifecycle.resolve_contact(contact_id=with_anna.pk)
    assert (stored(with_anna).accepted_at, stored(with_anna).is_untaken) == (taken.accepted_at, False)


def test_a_reopened_contact_is_to_be_taken_again(anna, with_anna):
    taking.accept_contact(contact_id=with_anna.pk)
    lifecycle.resolve_contact(contact_id=with_anna.pk)
    reopened = lifecycle.reopen_contact(contact_id=with_anna.pk)
    assert (reopened.operator, reopened.is_untaken, reopened.offers) == (anna, True, 1)


def test_whoever_had_it_twice_counts_once(anna, boris, with_anna):
    for operator in (boris, anna, boris):
        found = lifecycle.force_contact(contact_id=with_anna.pk, operator_id=operator.pk)
    assert (found.offers, stored(with_anna).former_operator_ids) == (2, [anna.pk, boris.pk])


def test_a_contact_that_nobody_has_had_was_offered_to_nobody(anna, bot):
    type(anna).objects.update(is_active=False)
    assert characters.contact(bot).offers == 0
