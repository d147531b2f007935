"""A clock that was set back since makes no difference: transactions tell what came after what, moments do not."""

from datetime import timedelta

import pytest
import time_machine

from routing import operator_actions, replay, source_actions
from routing.models import RosterEntry, Source
from tests import characters
from tests.replay.conftest import MONDAY

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

HOUR = timedelta(hours=1)


@pytest.fixture
def anna():
    with time_machine.travel(MONDAY - HOUR):
        return characters.operator("Anna", limit=9)


@pytest.fixture
def bot(anna):
    """In turn: Anna is ahead by the contact that she has."""
    with time_machine.travel(MONDAY - HOUR):
        bot = characters.source("Bot", roster={anna: 10, characters.operator("Boris", limit=9): 10})
        Source.objects.update(strategy="smooth")
    with time_machine.travel(MONDAY):
        assert characters.contact(bot).operator_id == anna.pk
    return bot


def test_a_weight_that_was_set_after_it_begins_anew(anna, bot):
    with time_machine.travel(MONDAY - HOUR):
        source_actions.set_weight(source_id=bot.pk, operator_id=anna.pk, weight=100)
    assert RosterEntry.objects.get(operator=anna).progress == 0
    assert list(replay.replay().found.sentences()) == []


def test_who_was_away_after_it_may_have_moved(anna, bot):
    with time_machine.travel(MONDAY - HOUR):
        for is_active in (False, True):
            operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": is_active})
        RosterEntry.objects.filter(operator=anna).update(progress=5)
    assert list(replay.replay().found.sentences()) == []
