"""A compiled statement says what its queryset says, each time with other values."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, models
from django.db.models import ExpressionWrapper, F, IntegerField
from django.test.utils import CaptureQueriesContext

from core.db import compiled
from operators.models import Operator
from routing.models import RosterEntry, Source
from tests import characters
from tests.concurrency.threads import together


def select(build: Callable[..., Any]) -> compiled.Select[Any]:
    return compiled.Select(build)


def names(**lookups: Any) -> Any:
    return Operator.objects.filter(**lookups).order_by("pk").values_list("name")


@pytest.fixture
def team(db):
    return [characters.operator("Anna", limit=1), characters.operator("Boris", limit=2, is_active=False)]


def test_rows_are_those_of_the_queryset(team):
    columns = ("name", "is_active", "created_at", "archived_at", "max_load")
    query = Operator.objects.values_list(*columns)
    rows = select(lambda limit: query.filter(max_load=limit))
    for operator in team:
        assert rows(operator.max_load) == list(query.filter(max_load=operator.max_load)) != []


def test_rows_become_instances(team):
    columns = compiled.Columns(Operator)
    by_pk = select(lambda pk: Operator.objects.filter(pk=pk).values_list(*columns.names))
    [operator] = columns.instances(by_pk(team[1].pk))
    known = Operator.objects.get(pk=team[1].pk)
    assert {name: getattr(operator, name) for name in columns.names} == {n: getattr(known, n) for n in columns.names}


def test_columns_that_were_not_read_are_deferred(team):
    [operator] = compiled.Columns(Operator, ["id", "name"]).instances([(team[0].pk, "Anna")])
    assert operator.get_deferred_fields() >= {"max_load", "current_load"}


def test_columns_in_another_order_are_refused():
    with pytest.raises(TypeError, match="order"):
        compiled.Columns(Operator, ["name", "id"])


def test_a_value_may_stand_in_several_places_and_beside_fixed_ones(team):
    found = select(
        lambda name, limit: Operator.objects.filter(
            models.Q(name=name) | models.Q(max_load=limit), name__in=[name, "Boris"], is_active=False
        ).values_list("name")
    )
    assert found("Anna", 2) == [("Boris",)]
    assert found("Anna", 3) == []


@pytest.mark.parametrize("text", ["100%", "%s", "O'Hara", "", "я" * 100, 'a"b\\c'])
def test_texts_arrive_as_they_are(db, text):
    characters.operator(text)
    assert select(lambda name: names(name=name))(text) == [(text,)]


@pytest.mark.parametrize("number", [0, 1, 2**15, 2**31, 2**63 - 1])
def test_numbers_of_any_size_are_looked_for(db, number):
    assert select(lambda pk: names(pk=pk))(number) == []


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


def test_an_update_runs_many_times_in_one_call(team, django_assert_num_queries):
    rename = compiled.Update(lambda pk, name: (Operator.objects.filter(pk=pk), {"name": name}))
    with django_assert_num_queries(1):
        rename.run_many([(team[0].pk, "Vera"), (team[1].pk, "Galina"), (team[0].pk, "Daria")])
        rename.run_many([])
    assert [Operator.objects.get(pk=operator.pk).name for operator in team] == ["Daria", "Galina"]


def test_several_statements_are_read_together(team, django_assert_num_queries):
    source = characters.source(roster={team[0]: 7, team[1]: 3})
    weights = select(
        lambda pk: RosterEntry.objects.filter(source=pk).order_by("-weight").values_list("weight", "changed_at")
    )
    sources = select(lambda pk: Source.objects.filter(pk=pk).values_list("name", "description", "archived_at"))
    nothing = select(lambda name: names(name=name))
    with django_assert_num_queries(1 if connection.vendor == "postgresql" else 3):
        found = compiled.select_together((nothing, ("Vera",)), (sources, (source.pk,)), (weights, (source.pk,)))
    entries = RosterEntry.objects.order_by("-weight").values_list("weight", "changed_at")
    assert found == [[], [(source.name, None, None)], list(entries)]


def test_it_is_compiled_once(team):
    built = []

    def build(pk: Any) -> Any:
        built.append(pk)
        return names(pk=pk)

    by_pk = select(build)
    assert [by_pk(operator.pk) for operator in team] == [[("Anna",)], [("Boris",)]]
    assert len(built) == 1


def test_statements_are_seen_by_query_counters(team):
    with CaptureQueriesContext(connection) as seen:
        select(lambda name: names(name=name))("Anna")
    assert "Anna" in seen[0]["sql"]


@pytest.mark.django_db(transaction=True)
def test_threads_share_a_statement():
    team = [characters.operator(f"Operator {number}") for number in range(4)]
    by_pk = select(lambda pk: names(pk=pk))

    def ask(operator: Operator):
        return lambda: (threading.get_ident(), [by_pk(operator.pk) == [(operator.name,)] for _ in range(50)])

    answers = together(*map(ask, team))
    assert len({thread for thread, _ in answers}) == 4
    assert all(all(right) for _, right in answers)


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_of_the_same_thread_will_do(transactional_db):
    operator = characters.operator()
    by_pk = select(lambda pk: names(pk=pk))
    by_pk(operator.pk)
    connection.close()
    assert by_pk(operator.pk) == [("Anna",)]
