import random

import pytest

from operators.models import Operator
from routing import lifecycle, operator_actions, queue, queue_stats, waiting
from routing.models import Contact, Exclusion, RosterEntry, Source
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return characters.operator("Anna", is_active=False)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


@pytest.fixture
def backlog(bot):
    return [characters.contact(bot).pk for _ in range(5)]


def come_on_duty(operator):
    operator_actions.change_operator(operator_id=operator.pk, changes={"is_active": True})


def test_the_oldest_of_all_sources_comes_first(anna, bot):
    other = characters.source(roster={anna: 10})
    contacts = [characters.contact(source).pk for source in (bot, other, bot, other)]
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 3, "is_active": True})
    assert [lifecycle.find_contact(pk).status for pk in contacts] == ["assigned"] * 3 + ["waiting"]


def test_a_backlog_is_shared_with_others_who_are_free(anna, bot, backlog):
    boris = characters.operator("Boris", limit=100)
    Operator.objects.filter(pk=anna.pk).update(max_load=100)
    for _ in range(45):
        characters.contact(bot)
    bot.roster.create(operator=boris, weight=10)
    random.seed(1)
    come_on_duty(anna)
    assert characters.load(anna) + characters.load(boris) == 50
    assert 15 < characters.load(anna) < 35


def test_somebody_forgotten_is_found(anna, bot):
    forgotten = characters.contact(bot)
    Operator.objects.filter(pk=anna.pk).update(is_active=True)
    assert characters.findings() == [f"Contact {forgotten.pk} waits although an operator of its source is free."]


def test_the_reason_for_waiting_is_the_present_one(anna, bot):
    first = characters.contact(bot)
    assert first.waiting_reason == "all_inactive"
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": True, "max_load": 1})
    second = characters.contact(bot)
    assert second.waiting_reason == "all_full"
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False})
    assert lifecycle.find_contact(second.pk).waiting_reason == "all_inactive"


def test_places_in_the_queue_are_read_with_one_query_for_many(bot, backlog, django_assert_num_queries):
    contacts = list(Contact.objects.order_by("pk"))
    with django_assert_num_queries(1):
        assert [contact.queue_position for contact in queue_stats.add_positions(contacts)] == [1, 2, 3, 4, 5]


def test_somebody_else_is_found_even_if_older_contacts_wait_for_the_first_drawn():
    holder, awaited, free = (characters.operator(name, limit=2) for name in ("Holder", "Awaited", "Free"))
    elsewhere, bot = characters.source(), characters.source(roster={holder: 1})
    characters.contact(elsewhere)
    contact = characters.contact(bot)
    elsewhere.roster.create(operator=awaited, weight=1)
    bot.roster.create(operator=awaited, weight=100)
    bot.roster.create(operator=free, weight=1)
    assert lifecycle.reroute_contact(contact_id=contact.pk, draw=lambda: 0.1).operator_id == free.pk


def test_who_is_awaited_is_found_for_many_at_once():
    served, gave_it_back, elsewhere = (characters.operator(name) for name in ("Served", "Back", "Elsewhere"))
    contact = characters.contact(characters.source(roster={gave_it_back: 1}))
    characters.source(roster={elsewhere: 1})
    lifecycle.return_contact(contact_id=contact.pk)
    contact.source.roster.create(operator=served, weight=1)
    team = [served.pk, gave_it_back.pk, elsewhere.pk]
    assert set(waiting.oldest_waiting_ids(team)) == {served.pk}
    assert [waiting.somebody_waits_for(operator_id) for operator_id in team] == [True, False, False]


@pytest.mark.parametrize("number", [1, waiting.MANY_SOURCES + 1])
def test_the_oldest_is_found_however_many_sources_an_operator_serves(number):
    anna, full = characters.operator("Anna"), characters.operator("Full", limit=1)
    sources = [characters.source(roster={full: 1}) for _ in range(number)]
    contacts = [characters.contact(source) for source in [sources[0], sources[-1], sources[0]]]
    RosterEntry.objects.bulk_create([RosterEntry(source=source, operator=anna, weight=1) for source in sources])
    assert waiting.oldest_for(anna.pk) == contacts[1]  # the first has filled the other operator
    assert waiting.somebody_waits_for(anna.pk, older_than=contacts[2].pk)
    assert not waiting.somebody_waits_for(anna.pk, older_than=contacts[1].pk)
    Exclusion.objects.bulk_create([Exclusion(contact=one, operator=anna) for one in contacts[1:]])
    assert waiting.oldest_for(anna.pk) is None


def test_a_newcomer_says_why_it_waits_without_reading_those_before_it(anna, bot, backlog):
    Contact.objects.filter(pk__in=backlog).update(waiting_reason="all_full")
    newcomer = characters.contact(bot)
    assert newcomer.waiting_reason == "all_inactive"
    assert set(Contact.objects.filter(pk__in=backlog).values_list("waiting_reason", flat=True)) == {"all_full"}
    queue.sweep_queue()
    assert set(Contact.objects.waiting().values_list("waiting_reason", flat=True)) == {"all_inactive"}


def test_an_event_says_anew_why_the_oldest_wait_and_the_sweep_why_all_do(bot, backlog):
    Contact.objects.update(waiting_reason="all_full")
    queue.refresh_reasons(Source.objects.filter(pk=bot.pk), most=2)
    reasons = Contact.objects.order_by("pk").values_list("waiting_reason", flat=True)
    assert list(reasons) == ["all_inactive"] * 2 + ["all_full"] * 3
    queue.sweep_queue()
    assert set(reasons.all()) == {"all_inactive"}
