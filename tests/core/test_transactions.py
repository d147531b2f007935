"""What `tests.transactions` watches, and that it would notice."""

import pytest
from django.db import connection

from access import keys
from access.models import ApiKey
from core import retry
from operators.models import Operator
from routing import operator_actions, source_actions
from routing.models import Source
from tests import characters, transactions

pytestmark = pytest.mark.django_db


def test_a_write_of_the_service_outside_of_an_attempt_is_noticed():
    """The control for all tests of verbs."""
    with pytest.raises(AssertionError, match=r"routing/source_actions\.py writes outside"):
        source_actions.save_named(Source(name="Bot"), None)
    transactions.outside.clear()


def return_early():
    for attempt in retry.attempts():
        with attempt:
            characters.operator()
            return


def test_a_return_after_a_write_is_noticed():
    """The control for all tests of verbs."""
    return_early()
    assert transactions.left_early == ["return_early"]
    transactions.left_early.clear()


LOSE_THE_FIRST_COMMIT = """
CREATE SEQUENCE commits;
CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('commits') = 1 THEN RAISE EXCEPTION 'lost at its commit' USING ERRCODE = '40001'; END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER lose AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION lose();
"""
WITHOUT = "DROP TRIGGER lose ON {table}; DROP FUNCTION lose(); DROP SEQUENCE commits"


@pytest.fixture
def first_commit_is_lost(request, transactional_db):
    table = request.param._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(LOSE_THE_FIRST_COMMIT.format(table=table))
    yield
    with connection.cursor() as cursor:
        cursor.execute(WITHOUT.format(table=table))


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("first_commit_is_lost", "verb"),
    [
        (Operator, lambda: operator_actions.create_operator(name="Anna", max_load=1)),
        (Source, lambda: source_actions.create_source(name="Bot")),
        (ApiKey, lambda: keys.make_key(name="bot", source=None).key),
    ],
    indirect=["first_commit_is_lost"],
)
def test_what_is_returned_is_stored_though_the_first_commit_was_lost(first_commit_is_lost, verb):
    made = verb()
    assert [row.pk for row in type(made).objects.all()] == [made.pk]
