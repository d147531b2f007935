from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.errors import Busy, Invalid, Reused, Unknown
from leads import batch
from leads.models import Identity, Lead, PossibleDuplicate
from operators.models import Operator
from routing import invariants
from routing.models import Contact, Source, Strategy
from tests import characters

pytestmark = pytest.mark.django_db


def item(source, **fields):
    return {"source_id": source.pk, "lead_phone": characters.somebody_new()} | fields


def register(*items: Any, draw: Callable[[], float] = lambda: 0.0) -> list[Any]:
    return batch.register_contacts(items=items, draw=draw)


def test_what_is_wrong_is_refused_in_its_place_and_spoils_no_other():
    bot = characters.source(roster={characters.operator(): 10})
    results = register(
        item(bot), item(bot, lead_phone="12"), {"source_id": 10**6, "lead_phone": "+79990000001"}, item(bot)
    )
    assert [type(result) for result in results] == [Contact, Invalid, Unknown, Contact]
    assert Contact.objects.count() == 2


def test_a_limit_holds_within_a_batch_and_the_rest_waits_in_order():
    anna, boris = characters.operator("Anna", limit=2), characters.operator("Boris", limit=1)
    bot = characters.source(roster={anna: 10, boris: 10})
    results = register(*[item(bot) for _ in range(6)])
    assert sum(contact.operator_id is None for contact in results) == 3
    assert (characters.load(anna), characters.load(boris)) == (2, 1)
    assert [contact.waiting_reason for contact in results[3:]] == ["all_full"] * 3
    assert characters.findings() == []


def test_a_person_who_comes_twice_in_a_batch_is_one_lead():
    bot = characters.source()
    results = register(
        item(bot, lead_phone="+79990000001", lead_name="Old"),
        item(bot, lead_phone="8 999 000-00-01", lead_email="anna@example.com", lead_name="Anna"),
        item(bot, lead_phone=None, lead_email="ANNA@example.com"),
    )
    assert len({contact.lead_id for contact in results}) == Lead.objects.count() == 1
    assert Lead.objects.get().name == "Anna"
    assert Identity.objects.count() == 2


def test_two_leads_that_cross_in_a_batch_are_a_possible_duplicate():
    bot = characters.source()
    phone, email = {"lead_phone": "+79990000001"}, {"lead_phone": None, "lead_email": "anna@example.com"}
    first, second, crossed = register(item(bot, **phone), item(bot, **email), item(bot, **email | phone))
    assert crossed.lead_id == first.lead_id
    assert PossibleDuplicate.objects.values_list("lead_id", "other_id").get() == (first.lead_id, second.lead_id)


def test_a_known_lead_is_renamed_by_the_last_who_names_it():
    bot = characters.source()
    known = characters.contact(bot, lead_phone="+79990000001", lead_name="Old")
    register(*[item(bot, lead_phone="+79990000001", lead_name=name) for name in ("Ann", "Anna")])
    assert Lead.objects.get(pk=known.lead_id).name == "Anna"


def test_a_key_within_a_batch_makes_one_contact():
    bot = characters.source()
    asked = item(bot, idempotency_key="k1")
    first, again, other = register(asked, asked, asked | {"message": "Another"})
    assert (again.pk, again.is_replay, first.is_replay) == (first.pk, True, False)
    assert isinstance(other, Reused)


def test_a_batch_sent_twice_is_registered_once():
    bot = characters.source(roster={characters.operator(limit=100): 10})
    items = [item(bot, idempotency_key=f"k{number}") for number in range(batch.TOGETHER + 5)]
    first, again = register(*items), register(*items)
    assert [contact.pk for contact in first] == [contact.pk for contact in again]
    assert all(contact.is_replay for contact in again)


def test_nobody_overtakes_who_waits_already():
    anna = characters.operator(limit=1)
    bot = characters.source(roster={anna: 10})
    register(item(bot))
    oldest = characters.contact(bot)
    Operator.objects.filter(pk=anna.pk).update(max_load=2)  # a place that nobody has looked at yet
    [later] = register(item(bot))
    assert (Contact.objects.get(pk=oldest.pk).operator_id, later.operator_id) == (anna.pk, None)


def test_a_sticky_source_gives_a_client_to_its_operator_within_the_batch():
    team = {characters.operator(name, limit=50): 10 for name in ("Anna", "Boris", "Vera")}
    bot = characters.source(roster=team)
    Source.objects.filter(pk=bot.pk).update(is_sticky=True)
    items = [item(bot, lead_phone=f"+7999000000{number % 3}") for number in range(30)]
    results = register(*items, draw=Random(1).random)
    assert all(len({c.operator_id for c in results if c.lead_id == lead.pk}) == 1 for lead in Lead.objects.all())


def test_known_clients_of_a_sticky_source_cost_no_statement_each():
    bot = characters.source(roster={characters.operator(name, limit=50): 10 for name in ("Anna", "Boris", "Vera")})
    Source.objects.filter(pk=bot.pk).update(is_sticky=True)
    phones = [f"+7999000000{number}" for number in range(8)]
    operators = [contact.operator_id for contact in register(*[item(bot, lead_phone=phone) for phone in phones])]
    with CaptureQueriesContext(connection) as for_two:
        register(*[item(bot, lead_phone=phone) for phone in phones[:2]])
    with CaptureQueriesContext(connection) as for_all:
        again = register(*[item(bot, lead_phone=phone) for phone in phones])
    assert [contact.operator_id for contact in again] == operators
    assert len(for_all) == len(for_two)


@pytest.mark.parametrize("strategy", Strategy.values)
def test_a_batch_decides_as_one_request_after_another_would(strategy):
    draws = [number / 20 for number in range(20)]
    team, bot = team_of_three(strategy)
    singly = [team.get(characters.contact(bot, draw=lambda draw=draw: draw).operator_id) for draw in draws]
    team, bot = team_of_three(strategy)
    results = register(*[item(bot) for _ in draws], draw=iter(draws).__next__)
    assert [team.get(contact.operator_id) for contact in results] == singly
    assert list(invariants.wrong_decisions()) == characters.findings() == []


def team_of_three(strategy):
    """Operator id to name, and their source."""
    team = {
        characters.operator("A", limit=3): 10,
        characters.operator("B", limit=9): 30,
        characters.operator("C", limit=5): 5,
    }
    bot = characters.source(roster=team)
    Source.objects.filter(pk=bot.pk).update(strategy=strategy)
    return {operator.pk: operator.name for operator in team}, Source.objects.get(pk=bot.pk)


def test_a_fault_before_anything_is_stored_is_raised(monkeypatch):
    monkeypatch.setattr("core.retry.ATTEMPTS", 0)
    with pytest.raises(Busy):
        register(item(characters.source()))


def test_a_repetition_tells_the_same_state_as_what_it_repeats():
    anna = characters.operator(limit=1)
    bot = characters.source(roster={anna: 10})
    register(item(bot))
    characters.contact(bot)
    Operator.objects.filter(pk=anna.pk).update(max_load=3)  # places that nobody has looked at yet
    asked = item(bot, idempotency_key="k1")
    first, again = register(asked, asked)
    assert first.operator_id == again.operator_id == anna.pk
