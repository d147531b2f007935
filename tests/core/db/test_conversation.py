"""On PostgreSQL statements that can wait go together with the next one, in the same order, and never after all."""

import select
from contextlib import suppress

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from core import retry
from core.db import compiled
from core.db.postgresql.conversation import Conversation
from operators.load import TAKE
from operators.models import Operator
from routing.models import Contact
from tests import characters

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

LOADS: compiled.Select[tuple[int]] = compiled.Select(
    lambda pk: Operator.objects.filter(pk=pk).values_list("current_load")
)
LIMIT = compiled.Update(lambda pk, limit: (Operator.objects.filter(pk=pk), {"max_load": limit}))
RENAME = compiled.Update(lambda pk, name: (Operator.objects.filter(pk=pk), {"name": name}))


@pytest.fixture
def anna():
    anna = characters.operator("Anna")
    LOADS(anna.pk)  # from now on all is prepared
    return anna


def from_elsewhere(operator):
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        query = "SELECT name, current_load FROM operators_operator WHERE id = %s"
        return other.execute(query, [operator.pk]).fetchone()


def test_what_is_only_written_goes_with_what_is_asked_next(anna, turns):
    with transaction.atomic():
        TAKE.later(anna.pk, 1)
        TAKE.later(anna.pk, 2)
        assert turns == []
        assert LOADS(anna.pk) == [(3,)]
        assert turns == [3]


def test_the_commit_brings_what_is_left(anna, turns):
    with transaction.atomic():
        TAKE.later(anna.pk, 1)
        assert LOADS(anna.pk) == [(1,)]
        RENAME.later(anna.pk, "Anya")
        assert from_elsewhere(anna) == ("Anna", 0)
    assert turns == [2, 2]
    assert from_elsewhere(anna) == ("Anya", 1)


def test_an_answer_may_be_asked_for_later_and_more_than_once(anna, turns):
    with transaction.atomic():
        before, changed, after = LOADS.later(anna.pk), TAKE.later(anna.pk, 1), LOADS.later(anna.pk)
        assert (after(), before(), changed(), after()) == ([(1,)], [(0,)], 1, [(1,)])
    assert turns == [3]


def test_ordinary_queries_come_after_what_was_asked_before(anna):
    with transaction.atomic():
        TAKE.later(anna.pk, 1)
        assert Operator.objects.get(pk=anna.pk).current_load == 1
        TAKE.later(anna.pk, 1)
        Operator.objects.filter(pk=anna.pk).update(current_load=F("current_load") * 10)
    assert characters.load(anna) == 20


def test_outside_of_a_transaction_nothing_waits(anna, turns):
    TAKE.later(anna.pk, 1)
    assert turns == [1]
    assert from_elsewhere(anna) == ("Anna", 1)


def test_a_refusal_is_raised_where_the_next_answer_is_waited_for(anna):
    with transaction.atomic():
        LIMIT.later(anna.pk, 500)
        TAKE.later(anna.pk, 1)
        with pytest.raises(IntegrityError):
            LOADS(anna.pk)
        transaction.set_rollback(True)
    assert LOADS(anna.pk) == [(0,)]


def test_a_refusal_at_the_end_undoes_all(anna):
    @transaction.atomic
    def work():
        TAKE(anna.pk, 1)
        LIMIT.later(anna.pk, 500)

    with pytest.raises(IntegrityError):
        work()
    assert from_elsewhere(anna) == ("Anna", 0)
    with transaction.atomic():
        TAKE.later(anna.pk, 1)
    assert from_elsewhere(anna) == ("Anna", 1)


def test_refusals_leave_nothing_behind_on_the_server(anna):
    for _ in range(3):
        with pytest.raises(IntegrityError):
            LIMIT(anna.pk, 500)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'UPDATE%max_load%'")
        assert cursor.fetchone() == (1,)


def test_what_is_rolled_back_is_not_asked(anna, turns):
    with transaction.atomic():
        pending = TAKE.later(anna.pk, 1)
        transaction.set_rollback(True)
    assert turns == []
    assert LOADS(anna.pk) == [(0,)]
    with pytest.raises(RuntimeError, match="rolled back"):
        pending()


def test_a_savepoint_takes_back_only_its_own(anna):
    with transaction.atomic():
        TAKE.later(anna.pk, 1)
        with transaction.atomic():
            TAKE.later(anna.pk, 10)
            transaction.set_rollback(True)
        with transaction.atomic():
            TAKE.later(anna.pk, 100)
        TAKE.later(anna.pk, 1000)
    assert from_elsewhere(anna) == ("Anna", 1101)


def test_much_may_go_both_ways_at_once(anna):
    """More than fits into the buffers between us: whoever only wrote, or only read, would wait for ever."""
    size = 5_000_000
    sql = b"SELECT repeat('x', 5000000), length($1::text)"
    with transaction.atomic():
        conversation = connection.converse()  # type: ignore[attr-defined]
        questions = [conversation.ask(sql, ["y" * size]) for _ in range(6)]
        for question in questions:
            [(echo, length)], _ = question()
            assert (len(echo), length) == (size, size)


def test_a_connection_that_breaks_is_an_error_and_the_next_one_works(anna):
    @transaction.atomic
    def work():
        TAKE(anna.pk, 1)
        with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.connection.info.backend_pid])
        RENAME.later(anna.pk, "Anya")

    with pytest.raises(OperationalError):
        work()
    connection.close_if_unusable_or_obsolete()
    assert from_elsewhere(anna) == ("Anna", 0)
    assert LOADS(anna.pk) == [(0,)]


def test_who_is_interrupted_in_the_middle_does_not_use_the_connection_again(anna, monkeypatch):
    def interrupt(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Conversation, "listen", interrupt)
        with pytest.raises(KeyboardInterrupt):
            transaction.atomic(TAKE)(anna.pk, 1)
    connection.close_if_unusable_or_obsolete()
    assert LOADS(anna.pk) == [(0,)]


@pytest.fixture
def after_the_interruption(monkeypatch, anna):
    """Somebody is interrupted while the commit is on its way."""

    def interrupt(self):
        raise KeyboardInterrupt

    @transaction.atomic
    def work():
        TAKE(anna.pk, 1)
        RENAME.later(anna.pk, "Anya")
        monkeypatch.setattr(Conversation, "listen", interrupt)

    with pytest.raises(KeyboardInterrupt):
        work()
    monkeypatch.undo()


@pytest.mark.usefixtures("after_the_interruption")
def test_who_is_interrupted_at_the_commit_goes_on_with_another_connection(anna):
    with transaction.atomic():
        LIMIT.later(anna.pk, 7)
    assert Operator.objects.get(pk=anna.pk).max_load == 7


@pytest.fixture
def schema_changes(anna):
    """At the commit the database says, once, that a table has changed: as a deferred trigger could."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE asked")
        cursor.execute(
            "CREATE FUNCTION refuse_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('asked') = 1 THEN "
            "RAISE 'cached plan must not change result type' USING ERRCODE = '0A000'; END IF; RETURN NULL; END $$"
        )
        cursor.execute(
            "CREATE CONSTRAINT TRIGGER refuse_once AFTER UPDATE ON operators_operator DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION refuse_once()"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER refuse_once ON operators_operator")
        cursor.execute("DROP FUNCTION refuse_once")
        cursor.execute("DROP SEQUENCE asked")


@pytest.mark.usefixtures("schema_changes")
def test_what_was_refused_at_the_commit_is_not_done_by_half(anna):
    def work(attempt):
        TAKE(anna.pk, 1)
        RENAME.later(anna.pk, f"Anna {attempt}")

    retry.run(work)
    assert from_elsewhere(anna) == ("Anna 1", 1)


def test_a_broken_transaction_is_not_gone_on_with(anna):
    @transaction.atomic
    def work():
        with suppress(ZeroDivisionError), transaction.atomic(savepoint=False):
            raise ZeroDivisionError
        TAKE.later(anna.pk, 1)

    with pytest.raises(transaction.TransactionManagementError):
        work()


def test_a_server_that_hangs_up_is_quoted(anna):
    @transaction.atomic
    def work():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 50")
        until_the_server_hangs_up(connection.connection)
        TAKE(anna.pk, 1)

    with pytest.raises(DatabaseError, match="idle-in-transaction"):
        work()


def until_the_server_hangs_up(its):
    silence = select.poll()
    silence.register(its.fileno(), select.POLLIN)
    assert silence.poll(10_000)


def test_where_psycopg_prepares_statements_we_do_not(anna, turns):
    connection.close()
    connection.ensure_connection()
    connection.connection.cursor_factory = ServerBindingCursor
    TAKE(anna.pk, 1)
    assert (turns, from_elsewhere(anna)) == ([], ("Anna", 1))
    connection.close()


def test_what_no_column_takes_is_djangos_error(anna):
    with pytest.raises(DatabaseError):
        RENAME(anna.pk, "\0")
    assert LOADS(anna.pk) == [(0,)]


def test_where_transactions_begin_in_another_way_statements_go_one_by_one(anna, turns):
    connection.close()
    connection.ensure_connection()
    connection.connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
    with transaction.atomic():
        TAKE.later(anna.pk, 1)
        assert LOADS(anna.pk) == [(1,)]
        with connection.cursor() as cursor:
            assert cursor.execute("SHOW transaction_isolation").fetchone() == ("serializable",)
    assert turns == []
    connection.close()


def test_who_watches_sees_each_statement_in_its_order(anna, turns):
    with CaptureQueriesContext(connection) as seen, transaction.atomic():
        TAKE.later(anna.pk, 1)
        assert LOADS(anna.pk) == [(1,)]
    assert [query["sql"].split()[0] for query in seen] == ["BEGIN", "UPDATE", "SELECT", "COMMIT"]
    assert turns == []


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("key", [None, "k1"])
def test_a_registration_takes_two_turns(anna, turns, is_known, key):
    """The identities and the source with its roster; the lock, and in one statement the place and all that is stored,
    and the commit."""
    source = characters.source(roster={anna: 10})
    characters.contact(source, lead_phone="+79990000000" if is_known else "+79990000001")
    turns.clear()
    contact = characters.contact(source, lead_phone="+79990000000", idempotency_key=key)
    assert (turns, contact.operator_id) == ([3 if key else 2, 3], anna.pk)
    assert Contact.objects.filter(pk=contact.pk, lead__identities__value="+79990000000", operator=anna).exists()
