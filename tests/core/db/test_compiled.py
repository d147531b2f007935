"""A compiled statement says what its queryset says, each time with other values."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.db.models import ExpressionWrapper, F, IntegerField
from django.test.utils import CaptureQueriesContext

from core.db import compiled, inserts
from leads.models import Lead
from operators.models import Operator
from routing.models import Contact, RosterEntry
from tests import characters
from tests.concurrency.threads import together


def select(build: Callable[..., Any]) -> compiled.Select[Any]:
    return compiled.Select(build)


@pytest.fixture
def team(db):
    return [characters.operator("Anna", limit=1), characters.operator("Boris", limit=2, is_active=False)]


def test_rows_are_those_of_the_queryset(team):
    of_limit = select(lambda limit: Operator.objects.filter(max_load=limit))
    for operator in team:
        assert of_limit(operator.max_load) == [operator]
        assert vars(of_limit(operator.max_load)[0]).items() >= told(Operator.objects.get(pk=operator.pk)).items()


def told(instance: models.Model) -> dict[str, object]:
    return {field.attname: getattr(instance, field.attname) for field in instance._meta.concrete_fields}


def test_an_instance_brings_what_select_related_asks_for(team, django_assert_num_queries):
    source = characters.source(roster={team[0]: 7})
    entries = select(lambda source: RosterEntry.objects.filter(source=source).select_related("operator", "source"))
    with django_assert_num_queries(1):
        [entry] = entries(source.pk)
        assert (entry.weight, entry.operator.name, entry.source.name) == (7, "Anna", source.name)


def test_deferred_columns_stay_deferred(team):
    names = select(lambda pk: Operator.objects.filter(pk=pk).only("name"))
    assert names(team[0].pk)[0].get_deferred_fields() >= {"max_load", "current_load"}


def test_tuples_come_with_the_types_of_their_columns(team):
    query = Operator.objects.values_list("name", "is_active", "created_at", "archived_at")
    rows = select(lambda pk: query.filter(pk=pk))
    assert rows(team[1].pk) == list(query.filter(pk=team[1].pk))


def test_a_value_may_stand_in_several_places_and_beside_fixed_ones(team):
    found = select(
        lambda name, limit: Operator.objects.filter(
            models.Q(name=name) | models.Q(max_load=limit), name__in=[name, "Boris"], is_active=False
        )
    )
    assert found("Anna", 2) == [team[1]]
    assert found("Anna", 3) == []


@pytest.mark.parametrize("text", ["100%", "%s", "O'Hara", "", "я" * 100, 'a"b\\c'])
def test_texts_arrive_as_they_are(db, text):
    operator = characters.operator(text)
    assert select(lambda name: Operator.objects.filter(name=name))(text) == [operator]


@pytest.mark.parametrize("number", [0, 1, 2**15, 2**31, 2**63 - 1])
def test_numbers_of_any_size_are_looked_for(db, number):
    assert select(lambda pk: Operator.objects.filter(pk=pk))(number) == []


def test_whether_there_are_any(team):
    named = compiled.Exists(lambda name: Operator.objects.filter(name=name))
    assert (named("Anna"), named("Vera")) == (True, False)


def test_an_update_counts_its_rows(team):
    more = compiled.Update(
        lambda pk, number: (
            Operator.objects.filter(pk=pk),
            {"current_load": F("current_load") + ExpressionWrapper(number, IntegerField())},
        )
    )
    assert (more(team[0].pk, 3), more(team[0].pk, 2), more(0, 1)) == (1, 1, 0)
    assert characters.load(team[0]) == 5


def test_what_is_stored_is_what_bulk_create_stores(team):
    source = characters.source()
    lead = Lead.objects.create()

    def new() -> Contact:
        return Contact(lead=lead, source=source, operator=team[0], message="1", idempotency_fingerprint=b"\0\xff")

    one, two = new(), new()
    inserts.store(one)
    Contact.objects.bulk_create([two])
    assert not one._state.adding
    one, two = Contact.objects.get(pk=one.pk), Contact.objects.get(pk=two.pk)
    differing = {name for name, value in told(one).items() if value != told(two)[name]}
    assert differing <= {"id", "created_at", "updated_at", "idempotency_fingerprint"}
    assert bytes(one.idempotency_fingerprint or b"") == b"\0\xff"


def test_what_the_database_refuses_is_djangos_error(team):
    with pytest.raises(IntegrityError), transaction.atomic():
        inserts.store(Operator(name="Vera", max_load=500))


def test_it_is_compiled_once(team):
    built = []

    def build(pk: Any) -> Any:
        built.append(pk)
        return Operator.objects.filter(pk=pk)

    by_pk = select(build)
    assert [by_pk(operator.pk) for operator in team] == [[operator] for operator in team]
    assert len(built) == 1


def test_statements_are_seen_by_whoever_listens(team):
    with CaptureQueriesContext(connection) as seen:
        select(lambda name: Operator.objects.filter(name=name))("Anna")
    assert "Anna" in seen[0]["sql"]


@pytest.mark.django_db(transaction=True)
def test_another_thread_compiles_for_its_own_connection():
    team = [characters.operator(f"Operator {number}") for number in range(4)]
    statement = select(lambda pk: Operator.objects.filter(pk=pk))
    statement(team[0].pk)

    def ask(operator: Operator):
        return lambda: (threading.get_ident(), [statement(operator.pk) == [operator] for _ in range(50)])

    answers = together(*map(ask, team))
    assert len({thread for thread, _ in answers}) == 4
    assert all(all(right) for _, right in answers)


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_of_the_same_thread_will_do(transactional_db):
    operator = characters.operator()
    statement = select(lambda pk: Operator.objects.filter(pk=pk))
    statement(operator.pk)
    connection.close()
    assert statement(operator.pk) == [operator]
