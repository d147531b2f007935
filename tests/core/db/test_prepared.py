"""On PostgreSQL compiled statements are prepared, whatever becomes of connections, tables and transactions."""

from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.backends.postgresql import base as postgresql

from core.db import compiled
from operators.models import Operator
from tests import characters

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def by_pk():
    statement: compiled.Select[tuple[int, str]] = compiled.Select(
        lambda pk: Operator.objects.filter(pk=pk).values_list("pk", "name")
    )
    return lambda pk: [name for _, name in statement(pk)]


@pytest.fixture(autouse=True)
def prepare_at_once():
    """The service prepares a statement when it has been used five times."""
    connection.ensure_connection()
    connection.connection.prepare_threshold = 0
    yield
    connection.close()


@pytest.fixture
def elsewhere():
    """Somebody else's connection to the same database."""
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.autocommit = True
        yield other
        other.execute("ALTER TABLE operators_operator ALTER COLUMN name TYPE varchar(100)")


def prepared() -> list[str]:
    """What the server has prepared for this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE NOT from_sql")
        return [statement for (statement,) in cursor.fetchall()]


def kept_cursors() -> list[Any]:
    return list(connection.cursors.values())  # type: ignore[attr-defined] # of our backend


def test_a_statement_is_prepared_once_for_numbers_of_any_size(by_pk):
    for number in (1, 2**15, 2**31, 2**62):
        by_pk(number)
    assert len([statement for statement in prepared() if "operators_operator" in statement]) == 1


def test_behind_a_pooler_nothing_is_prepared(by_pk, monkeypatch):
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection, "prepare_threshold", None)
    operator = characters.operator()
    assert by_pk(operator.pk) == [operator.name]
    assert prepared() == []


def test_a_table_may_change_between_two_statements(by_pk, elsewhere):
    operator = characters.operator()
    by_pk(operator.pk)
    elsewhere.execute("ALTER TABLE operators_operator ALTER COLUMN name TYPE varchar(120)")
    assert by_pk(operator.pk) == [operator.name]
    assert Operator.objects.get(pk=operator.pk) == operator


def test_a_table_may_change_before_a_transaction_that_starts_again_once(by_pk, elsewhere):
    operator = characters.operator()
    named: compiled.Select[tuple[str]] = compiled.Select(
        lambda name: Operator.objects.filter(name=name).values_list("name")
    )

    def work(attempt):
        return attempt, by_pk(operator.pk), [name for (name,) in named(operator.name)]

    assert characters.run_attempts(work) == (0, [operator.name], [operator.name])
    elsewhere.execute("ALTER TABLE operators_operator ALTER COLUMN name TYPE varchar(120)")
    assert characters.run_attempts(work) == (1, [operator.name], [operator.name])


def test_a_rollback_does_no_harm(by_pk):
    operator = characters.operator()
    with transaction.atomic():
        by_pk(operator.pk)
        transaction.set_rollback(True)
    assert by_pk(operator.pk) == [operator.name]


def test_no_question_is_asked_before_the_first_statement_of_a_request(by_pk, monkeypatch):
    asked: list[object] = []
    by_pk(1)
    monkeypatch.setattr(postgresql.DatabaseWrapper, "is_usable", asked.append)
    connection.close_if_unusable_or_obsolete()  # as at the beginning of each request
    by_pk(1)
    assert asked == []


def test_a_connection_that_the_server_has_ended_is_replaced_before_it_is_used(by_pk, elsewhere):
    operator = characters.operator()
    pid = connection.connection.info.backend_pid
    elsewhere.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    connection.close_if_unusable_or_obsolete()
    assert by_pk(operator.pk) == [operator.name]
    assert connection.connection.info.backend_pid != pid


def test_a_statement_keeps_its_cursor_as_long_as_the_connection_lives(by_pk):
    by_pk(1)
    [cursor] = kept_cursors()
    by_pk(2)
    assert kept_cursors() == [cursor]
    connection.close()
    by_pk(3)
    assert kept_cursors() != [cursor]


def test_a_cursor_takes_values_of_other_types_than_before():
    named = compiled.Exists(lambda name: Operator.objects.filter(external_ref=name))
    characters.operator(external_ref="7")
    assert [named(value) for value in ("7", None, "8", "7")] == [True, False, False, True]
