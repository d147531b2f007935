"""The judge of every commit, who sits in the random test of all verbs (test_all_verbs.py), notices what must not be."""

import pytest
from django.db import Error

from core.db.compiled import Update
from leads import registration
from operators.load import taking
from operators.models import Operator
from routing import assignment, contact_changes, lifecycle
from routing.models import RosterEntry
from routing.rosters import read_roster
from routing.taking import touch_contact
from tests import characters
from tests.concurrency.judge import judged as judged  # a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql, pytest.mark.usefixtures("judged")]


def test_a_place_that_is_not_given_back_is_noticed_at_its_commit(monkeypatch):
    contact = characters.contact(characters.source(roster={characters.operator(): 10}))
    monkeypatch.setattr(lifecycle, "places_given_back", lambda operator_id: [])
    with pytest.raises(Error, match="has load 1 and 0 open contacts"):
        lifecycle.resolve_contact(contact_id=contact.pk)


def test_a_contact_beyond_the_limit_is_noticed_at_its_commit(monkeypatch):
    full = characters.operator(limit=1)
    bot = characters.source(roster={full: 10})
    contacts = [characters.contact(bot) for _ in range(2)]
    monkeypatch.setattr(lifecycle, "raise_if_not_free", lambda operator: None)
    monkeypatch.setattr(lifecycle, "assigned_to", lambda pk, **_: contact_changes.assigned_to(pk, accept_within=None))
    with pytest.raises(Error, match="beyond limit or duty"):
        lifecycle.give_contact(contact_id=contacts[1].pk, operator_id=full.pk)


def test_a_contact_that_stays_taken_with_its_next_operator_is_noticed_at_its_commit(monkeypatch):
    anna, boris = characters.operator(), characters.operator("Boris")
    contact = characters.contact(characters.source(roster={anna: 10}))
    touch_contact(contact_id=contact.pk)
    monkeypatch.setattr(contact_changes, "UNTAKEN", {})
    with pytest.raises(Error, match="counts as taken"):
        lifecycle.give_contact(contact_id=contact.pk, operator_id=boris.pk)


def test_a_load_without_a_contact_is_noticed_at_its_commit():
    anna = characters.operator()
    with pytest.raises(Error, match="has load 1 and 0 open contacts"):
        Operator.objects.filter(pk=anna.pk).update(current_load=1)


def test_somebody_who_is_archived_with_contacts_is_noticed_at_the_commit():
    anna = characters.operator()
    characters.contact(characters.source(roster={anna: 10}))
    with pytest.raises(Error, match="has load 1 and 1 open contacts"):
        Operator.objects.filter(pk=anna.pk).update(archived_at=anna.created_at)


def test_a_choice_from_outside_of_the_roster_is_noticed_at_its_commit(monkeypatch):
    anna = characters.operator()
    bot = characters.source(roster={anna: 10})
    stale = read_roster(bot.pk)
    RosterEntry.objects.all().delete()
    monkeypatch.setattr(registration, "roster_of", lambda rows: stale)
    take = Update(lambda operator, source, older_than: taking(Operator.objects.filter(pk=operator)))
    monkeypatch.setattr(assignment, "take_in_turn", lambda one_more, names: take)
    with pytest.raises(Error, match="not on the roster"):
        characters.contact(bot)
