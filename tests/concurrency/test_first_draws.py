"""Lost races do not bend the account of fairness: the first draw is kept where another operator got the contact."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from routing import fairness, history, invariants, lifecycle
from routing.models import Contact
from tests import characters

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

CONTACTS = 384  # every second one finds that Anna's place was taken after the roster was read


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=1)


@pytest.fixture
def boris():
    return characters.operator("Boris", limit=1)


@pytest.fixture
def bot(anna, boris):
    return characters.source(roster={anna: 10, boris: 10})


@pytest.fixture
def elsewhere():
    """Does something in another connection, and waits for it."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda work: pool.submit(work).result(60)
        pool.submit(connections.close_all).result(60)


def test_no_verdict_is_false_although_half_of_the_rosters_were_stale(anna, bot, elsewhere):
    other_bot, draws = characters.source(roster={anna: 1}), random.Random(1)

    def draw_while_anna_is_taken():
        """The roster has been read; the first attempt then finds Anna at her limit."""
        if not taken:
            taken.append(elsewhere(lambda: characters.contact(other_bot)))
        return draws.random()

    for number in range(CONTACTS):
        taken: list[Contact] = []
        contact = characters.contact(bot, draw=draw_while_anna_is_taken if number % 2 else draws.random)
        for done in [contact, *taken]:
            lifecycle.resolve_contact(contact_id=done.pk)

    hers, his = fairness.shares(bot.pk, None, None)
    assert hers.assigned == Contact.objects.filter(source=bot, operator=anna).count() < 120
    assert [hers.expected, his.expected] == pytest.approx([CONTACTS / 2] * 2)
    assert (hers.drawn - hers.taken, hers.drawn + his.drawn) == (hers.assigned, CONTACTS)
    assert hers.taken > 60
    assert his.assigned == his.drawn + hers.taken
    assert (hers.verdict, hers.within_chance, his.within_chance) == ("fair", True, True)
    assert list(invariants.wrong_decisions()) == []


def test_a_first_draw_is_kept_with_the_decision_that_followed(anna, boris, bot, elsewhere):
    other_bot = characters.source(roster={anna: 1})
    taken: list[Contact] = []

    def draw():
        if not taken:
            taken.append(elsewhere(lambda: characters.contact(other_bot)))
        return 0.1

    contact = characters.contact(bot, draw=draw)
    event = contact.history.get()
    assert contact.operator_id == boris.pk
    first, final = history.stored_first_draw(event), history.stored_decision(event)
    assert first
    assert final
    assert (first.chosen, first.draw, [one.obstacle for one in first.candidates]) == (anna.pk, 0.1, [None, None])
    assert (final.chosen, [one.obstacle for one in final.candidates]) == (boris.pk, ["full", None])
