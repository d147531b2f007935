import itertools

import pytest

from core.errors import Unknown
from operators.models import Operator
from routing import lifecycle, operator_actions, source_actions
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return characters.operator(limit=1)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


def test_resolving_frees_the_place(anna, bot):
    contact = characters.contact(bot)
    resolved = lifecycle.resolve_contact(contact_id=contact.pk)
    assert (resolved.is_resolved, resolved.operator_id, characters.load(anna)) == (True, anna.pk, 0)


def test_resolving_twice_frees_one_place(anna, bot):
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 2})
    contact, _ = characters.contact(bot), characters.contact(bot)
    first = lifecycle.resolve_contact(contact_id=contact.pk)
    again = lifecycle.resolve_contact(contact_id=contact.pk)
    assert (characters.load(anna), again.resolved_at) == (1, first.resolved_at)


def test_a_freed_place_goes_to_the_longest_waiting(anna, bot):
    served, oldest, newest = (characters.contact(bot) for _ in range(3))
    lifecycle.resolve_contact(contact_id=served.pk)
    assert (lifecycle.find_contact(oldest.pk).operator_id, lifecycle.find_contact(newest.pk).operator_id) == (
        anna.pk,
        None,
    )


def test_four_contacts_and_one_place_are_served_in_order(anna, bot):
    contacts = [characters.contact(bot).pk for _ in range(4)]
    for served, following in itertools.pairwise(contacts):
        assert lifecycle.find_contact(following).status == "waiting"
        lifecycle.resolve_contact(contact_id=served)
        assert lifecycle.find_contact(following).status == "assigned"


def test_a_waiting_contact_can_be_resolved(anna, bot):
    characters.contact(bot)
    waiting = characters.contact(bot)
    resolved = lifecycle.resolve_contact(contact_id=waiting.pk)
    assert (resolved.status, resolved.waiting_reason, characters.load(anna)) == ("resolved", None, 1)


def test_a_contact_of_a_closed_source_can_be_resolved(anna, bot):
    contact = characters.contact(bot)
    source_actions.archive_source(source_id=bot.pk)
    assert lifecycle.resolve_contact(contact_id=contact.pk).is_resolved


def test_resolving_survives_a_load_that_has_drifted_to_zero(anna, bot):
    contact = characters.contact(bot)
    Operator.objects.filter(pk=anna.pk).update(current_load=0)
    assert lifecycle.resolve_contact(contact_id=contact.pk).is_resolved
    assert characters.load(anna) == 0


def test_an_unknown_contact_is_refused():
    with pytest.raises(Unknown):
        lifecycle.resolve_contact(contact_id=404)
