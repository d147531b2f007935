"""The first draw is kept wherever the contact goes elsewhere because older contacts come first."""

import pytest

from leads import batch
from operators.models import Operator
from routing import explanation, fairness, history, invariants, lifecycle, queue
from routing.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db

TO_ANNA, TO_BORIS = 0.1, 0.9


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=1)


@pytest.fixture
def boris():
    return characters.operator("Boris", limit=1)


@pytest.fixture
def bot(anna, boris):
    return characters.source("Bot", roster={anna: 10, boris: 10})


@pytest.fixture
def older(anna):
    """A contact that waits for Anna, who has just become free: its commit is there, the drain is not."""
    other = characters.source("Other", roster={anna: 10})
    characters.contact(other)
    waiting = characters.contact(other)
    Operator.objects.filter(pk=anna.pk).update(max_load=2)
    return waiting


def draws(*numbers):
    given = iter(numbers)
    return lambda: next(given)


def first_draw(contact):
    return history.stored_first_draw(contact.history.earliest("pk"))


def test_of_a_contact_that_goes_to_another(anna, boris, bot, older):
    contact = characters.contact(bot, draw=draws(TO_ANNA, TO_BORIS))
    assert contact.operator_id == boris.pk
    assert first_draw(contact).chosen == anna.pk
    assert explanation.explain_decision(contact_id=contact.pk).text == (
        "Boris was drawn at random by weight, with a probability of 50%. "
        "Anna had been drawn first, but the place was taken, an older contact came first, or something else had "
        "changed."
    )


def test_of_a_contact_that_changed_meanwhile(anna, boris):
    """Anna has a place and nobody waits for her: no sentence may say otherwise."""
    vera = characters.operator("Vera")
    contact = characters.contact(source := characters.source("Bot", roster={vera: 10}))
    source.roster.create(operator=anna, weight=10)
    source.roster.create(operator=boris, weight=10)
    given = iter((TO_ANNA, TO_BORIS))

    def draw():
        """As if somebody else had taken the contact between the look and the change, the first time."""
        number = next(given)
        if number == TO_ANNA:
            Contact.objects.filter(pk=contact.pk).update(accepted_at=contact.created_at)
        return number

    lifecycle.reroute_contact(contact_id=contact.pk, draw=draw)
    assert explanation.explain_decision(contact_id=contact.pk).text.endswith("or something else had changed.")


def test_of_a_contact_that_joins_the_queue(anna, bot, older):
    contact = characters.contact(bot, draw=draws(TO_ANNA, TO_ANNA))
    event = contact.history.earliest("pk")
    assert (event.to_operator, history.stored_decision(event)) == (None, None)
    assert first_draw(contact).chosen == anna.pk


def test_of_a_contact_of_a_batch_that_joins_the_queue(anna, bot, older):
    items = [{"source_id": bot.pk, "lead_phone": characters.somebody_new()}]
    [contact] = batch.register_contacts(items=items, draw=draws(TO_ANNA))
    assert first_draw(contact).chosen == anna.pk


def test_of_a_waiting_contact_that_an_older_one_passes(anna, boris, bot, older, monkeypatch):
    """Boris is free for the newer contact, whose draw finds Anna; so the older contact gets her first."""
    Operator.objects.filter(pk__in=[anna.pk, boris.pk]).update(is_active=False)
    newer = characters.contact(bot)
    Operator.objects.filter(pk__in=[anna.pk, boris.pk]).update(is_active=True)
    monkeypatch.setattr("random.random", draws(TO_ANNA, TO_ANNA, TO_BORIS, TO_BORIS))
    assert queue.serve_operator(boris.pk) == 2
    newer.refresh_from_db()
    older.refresh_from_db()
    assert (older.operator_id, newer.operator_id) == (anna.pk, boris.pk)
    first = history.stored_first_draw(newer.history.latest("pk"))
    assert first
    assert first.chosen == anna.pk


def test_all_of_them_are_counted_and_follow_from_their_evidence(anna, bot, older):
    characters.contact(bot, draw=draws(TO_ANNA, TO_BORIS))
    hers, his = fairness.shares(bot.pk, None, None)
    assert (hers.drawn, hers.taken, hers.assigned) == (1, 1, 0)
    assert (his.drawn, his.taken, his.assigned) == (0, 0, 1)
    assert list(invariants.wrong_decisions()) == []
