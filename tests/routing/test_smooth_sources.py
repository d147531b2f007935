import random
from collections import Counter

import pytest

from leads import batch
from operators.models import Operator
from routing import fairness, lifecycle, operator_actions, source_actions
from routing.models import RosterEntry, Source
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=2)


@pytest.fixture
def boris():
    return characters.operator("Boris", limit=2)


@pytest.fixture
def bot(anna, boris):
    made = characters.source(roster={anna: 10, boris: 10})
    Source.objects.filter(pk=made.pk).update(strategy="smooth")
    return made


def test_the_last_place_can_be_taken(anna, boris, bot):
    contacts = [characters.contact(bot) for _ in range(5)]
    assert [contact.operator_id for contact in contacts] == [anna.pk, boris.pk] * 2 + [None]


def test_turns_are_kept_over_limits(anna, boris, bot):
    for _ in range(10):
        lifecycle.resolve_contact(contact_id=characters.contact(bot).pk)
    served = bot.contacts.values_list("operator_id", flat=True)
    assert sorted(served) == [anna.pk] * 5 + [boris.pk] * 5


@pytest.fixture
def vera():
    return characters.operator("Vera", limit=100)


def served(bot, contacts):
    """How many of the next contacts each operator gets, each of which is resolved immediately."""
    got = Counter(characters.contact(bot).operator_id for _ in range(contacts))
    for contact in bot.contacts.filter(resolved_at=None):
        lifecycle.resolve_contact(contact_id=contact.pk)
    return got


@pytest.fixture
def team(anna, boris):
    """Anna and Boris after a long day, with room for more."""
    Operator.objects.update(max_load=100)
    return anna, boris


def test_who_joins_a_roster_starts_level(team, bot, vera):
    served(bot, 40)
    source_actions.set_weight(source_id=bot.pk, operator_id=vera.pk, weight=20)
    assert served(bot, 4)[vera.pk] == 2


def test_who_joins_with_a_whole_new_roster_starts_level(team, bot, vera):
    served(bot, 40)
    weights = [{"operator_id": one.pk, "weight": 10} for one in [*team, vera]]
    source_actions.replace_roster(source_id=bot.pk, weights=weights)
    assert served(bot, 3)[vera.pk] == 1


def test_who_comes_back_on_duty_starts_level(team, bot, vera):
    source_actions.set_weight(source_id=bot.pk, operator_id=vera.pk, weight=20)
    operator_actions.change_operator(operator_id=vera.pk, changes={"is_active": False})
    served(bot, 40)
    operator_actions.change_operator(operator_id=vera.pk, changes={"is_active": True})
    assert served(bot, 4)[vera.pk] == 2


def test_who_gets_a_higher_limit_after_being_full_starts_level(team, bot, vera):
    source_actions.set_weight(source_id=bot.pk, operator_id=vera.pk, weight=20)
    Operator.objects.filter(pk=vera.pk).update(max_load=1)
    characters.contact(bot)
    assert characters.load(vera) == 1
    kept = bot.contacts.get(operator=vera)
    for _ in range(40):
        lifecycle.resolve_contact(contact_id=characters.contact(bot).pk)
    operator_actions.change_operator(operator_id=vera.pk, changes={"max_load": 100})
    assert served(bot, 4)[vera.pk] == 2
    assert kept.operator_id == vera.pk


def test_who_is_restored_from_the_archive_starts_level(team, bot, vera):
    source_actions.set_weight(source_id=bot.pk, operator_id=vera.pk, weight=20)
    operator_actions.archive_operator(operator_id=vera.pk)
    served(bot, 40)
    operator_actions.restore_operator(operator_id=vera.pk)
    assert served(bot, 4)[vera.pk] == 2


def test_a_new_weight_starts_level(team, bot, vera):
    source_actions.set_weight(source_id=bot.pk, operator_id=vera.pk, weight=1)
    served(bot, 41)
    source_actions.set_weight(source_id=bot.pk, operator_id=vera.pk, weight=20)
    assert served(bot, 4)[vera.pk] == 2


def test_a_weight_that_is_set_again_changes_no_turn(anna, boris, team, bot):
    characters.contact(bot)
    source_actions.replace_roster(
        source_id=bot.pk, weights=[{"operator_id": one.pk, "weight": 10} for one in (anna, boris)]
    )
    assert characters.contact(bot).operator_id == boris.pk


def test_who_is_ahead_does_not_gain_by_a_short_break(anna, boris, team, bot):
    assert characters.contact(bot).operator_id == anna.pk
    for is_active in (False, True):
        operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": is_active})
    assert characters.contact(bot).operator_id == boris.pk


def serve_at_random(bot, contacts, register):
    """Contacts come, and each open one is resolved with a probability of a third before the next."""
    rng = random.Random(4)
    for _ in range(contacts):
        for contact in bot.contacts.filter(resolved_at=None):
            if rng.random() < 1 / 3:
                lifecycle.resolve_contact(contact_id=contact.pk)
        register()


@pytest.mark.once
@pytest.mark.parametrize("way", ["alone", "batch"])
def test_who_is_often_full_gets_no_more_than_by_weight_while_free(way, anna, boris, bot, vera):
    """Anna has one place. Whenever she is free again she is as far ahead or behind as when she filled it."""
    Operator.objects.filter(pk=anna.pk).update(max_load=1)
    Operator.objects.filter(pk=boris.pk).update(max_load=100)
    source_actions.set_weight(source_id=bot.pk, operator_id=vera.pk, weight=10)
    ways = {
        "alone": lambda: characters.contact(bot),
        "batch": lambda: batch.register_contacts(
            items=[{"source_id": bot.pk, "lead_phone": characters.somebody_new(), "idempotency_key": None}]
        ),
    }
    serve_at_random(bot, 150, ways[way])
    shares = {share.operator_id: share for share in fairness.shares(bot.pk, None, None)}
    assert shares[anna.pk].reasons["limit"] < -10
    assert [share.reasons["chance"] for share in shares.values()] == pytest.approx([0] * 3, abs=3)


def test_who_gives_a_contact_away_is_back_as_well(anna, boris, bot):
    Operator.objects.filter(pk=anna.pk).update(max_load=1)
    Operator.objects.filter(pk=boris.pk).update(max_load=100)
    hers = characters.contact(bot)
    for _ in range(10):
        characters.contact(bot)
    lifecycle.give_contact(contact_id=hers.pk, operator_id=boris.pk)
    assert RosterEntry.objects.get(operator=anna).left_level is None
    assert characters.contact(bot).operator_id == boris.pk


def test_who_keeps_all_because_nobody_else_can_take_it_stays_where_it_was(anna, boris, bot):
    Operator.objects.filter(pk=anna.pk).update(max_load=1)
    Operator.objects.filter(pk=boris.pk).update(max_load=5)
    for _ in range(6):
        characters.contact(bot)
    before = RosterEntry.objects.filter(operator=anna).values_list("progress", "left_level").get()
    assert operator_actions.hand_over_on_duty(operator_id=anna.pk).kept == 1
    assert RosterEntry.objects.filter(operator=anna).values_list("progress", "left_level").get() == before


def test_who_hands_over_and_stays_on_duty_starts_level(team, anna, bot, vera):
    Operator.objects.filter(pk=anna.pk).update(max_load=2)
    source_actions.set_weight(source_id=bot.pk, operator_id=vera.pk, weight=10)
    for _ in range(40):
        characters.contact(bot)
    assert characters.load(anna) == 2
    operator_actions.hand_over_on_duty(operator_id=anna.pk)
    assert characters.load(anna) == 0
    got = [characters.contact(bot).operator_id for _ in range(3)]
    assert got.count(anna.pk) == 1
