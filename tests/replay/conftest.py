from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine

from core.db import commit_order
from core.ids import LARGEST
from routing import lifecycle, operator_actions, taking, upkeep
from routing.models import Source
from tests import characters

MONDAY = datetime(2026, 3, 30, 8, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def tallying_goes_on(monkeypatch):
    """Tallies of reports take no rows of transactions that have not ended, as that of a test."""
    monkeypatch.setattr(commit_order, "oldest_here", lambda: LARGEST)


@pytest.fixture
def desk():
    """A source in turn: Anna has a contact that she has taken and one that she has not, Boris has resolved one that she
    gave back, another one waits. Two hours later all is tallied, and Anna has got one more."""
    with time_machine.travel(MONDAY - timedelta(days=1), tick=False) as traveller:
        made = SimpleNamespace(traveller=traveller)
        made.anna, made.boris = (operator_actions.create_operator(name=name, max_load=2) for name in ("Anna", "Boris"))
        made.bot = characters.source("Bot", roster={made.anna: 30, made.boris: 10})
        Source.objects.update(strategy="smooth")
        operator_actions.change_operator(operator_id=made.anna.pk, changes={"max_load": 9})
        operator_actions.change_operator(operator_id=made.anna.pk, changes={"max_load": 8})
        traveller.move_to(MONDAY)
        made.resolved, made.taken, made.fresh, made.waiting = (characters.contact(made.bot) for _ in range(4))
        for contact, operator in ((made.resolved, made.boris), (made.taken, made.anna), (made.fresh, made.anna)):
            lifecycle.force_contact(contact_id=contact.pk, operator_id=operator.pk)
        lifecycle.resolve_contact(contact_id=made.resolved.pk)
        taking.accept_contact(contact_id=made.taken.pk)
        traveller.shift(7_200)
        operator_actions.change_operator(operator_id=made.boris.pk, changes={"is_active": False})
        operator_actions.change_operator(operator_id=made.anna.pk, changes={"is_active": False})
        lifecycle.return_contact(contact_id=made.waiting.pk)
        upkeep.sweep_and_tally()
        traveller.shift(7_200)
        yield made
