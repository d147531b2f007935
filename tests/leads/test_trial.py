"""A trial registration shows who would get a contact, and leaves nothing."""

import pytest

from core import events
from core.changes.models import Change
from core.errors import Unknown
from leads import trial
from leads.models import Identity, Lead
from operators.models import Operator
from routing.history import ContactMoved
from routing.models import Contact, ContactEvent, RosterEntry
from tests import characters

pytestmark = pytest.mark.django_db(transaction=True)


def stored():
    """Everything that a registration writes."""
    rows = [Lead, Identity, Contact, ContactEvent, Change, Operator, RosterEntry]
    return [list(model._default_manager.order_by("pk").values()) for model in rows]


def attempt(source):
    return trial.try_registration(source_id=source.pk, message="Trial", by="user vera")


@pytest.mark.parametrize("strategy", ["weighted_random", "smooth", "least_loaded"])
def test_a_trial_names_the_operator_and_leaves_nothing(strategy):
    bot = characters.source(roster={characters.operator("Anna"): 10, characters.operator("Full", is_active=False): 10})
    type(bot).objects.update(strategy=strategy, is_sticky=True)
    before = stored()
    assert attempt(bot).operator == "Anna"
    assert stored() == before
    assert characters.findings() == []


def test_a_trial_says_why_it_would_wait_and_nothing_waits():
    bot = characters.source(roster={characters.operator("Anna", is_active=False): 10})
    made = attempt(bot)
    assert made.operator is None
    assert "off duty" in made.why
    assert not Contact.objects.exists()


def test_nobody_is_told(monkeypatch):
    heard: list[object] = []
    monkeypatch.setattr(events, "listeners", [heard.append])
    bot = characters.source(roster={characters.operator("Anna"): 10})
    attempt(bot)
    assert not [event for event in heard if isinstance(event, ContactMoved)]
    characters.contact(bot)
    assert [event for event in heard if isinstance(event, ContactMoved)]


def test_who_is_full_stays_full_and_the_next_real_contact_is_as_before():
    bot = characters.source(roster={(anna := characters.operator("Anna", limit=1)): 10})
    attempt(bot)
    assert characters.contact(bot).operator == anna
    assert attempt(bot).operator is None
    assert characters.load(anna) == 1


def test_an_unknown_source_is_refused():
    with pytest.raises(Unknown):
        trial.try_registration(source_id=10**9, message="Trial", by="user vera")
