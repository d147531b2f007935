import pytest

from routing import lifecycle, operator_actions, source_actions
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=1)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


@pytest.fixture
def closed(bot):
    return lifecycle.resolve_contact(contact_id=characters.contact(bot).pk)


def test_a_reopened_contact_goes_to_the_same_operator(anna, closed):
    reopened = lifecycle.reopen_contact(contact_id=closed.pk)
    assert (reopened.operator_id, reopened.is_resolved, characters.load(anna)) == (anna.pk, False, 1)


def test_reopening_an_open_contact_changes_nothing(anna, closed):
    for _ in range(2):
        lifecycle.reopen_contact(contact_id=closed.pk)
    assert characters.load(anna) == 1


def test_it_is_routed_afresh_when_the_operator_is_full(anna, bot, closed):
    characters.contact(bot)
    boris = characters.operator("Boris")
    source_actions.set_weight(source_id=bot.pk, operator_id=boris.pk, weight=10)
    assert lifecycle.reopen_contact(contact_id=closed.pk).operator_id == boris.pk


def test_it_waits_when_nobody_is_free(anna, bot, closed):
    characters.contact(bot)
    reopened = lifecycle.reopen_contact(contact_id=closed.pk)
    assert (reopened.operator_id, reopened.waiting_reason, characters.load(anna)) == (None, "all_full", 1)


def test_it_never_goes_to_somebody_who_has_left(anna, closed):
    operator_actions.archive_operator(operator_id=anna.pk)
    assert lifecycle.reopen_contact(contact_id=closed.pk).status == "waiting"


def test_of_a_closed_source_it_waits_for_a_supervisor(anna, bot, closed):
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False})
    source_actions.archive_source(source_id=bot.pk)
    assert lifecycle.reopen_contact(contact_id=closed.pk).waiting_reason == "source_closed"
