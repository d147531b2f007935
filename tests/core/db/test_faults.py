"""What an error of the database means, by errors of real databases."""

import os
import select
import socket
import sqlite3

import psycopg
import pytest
from django.db import DatabaseError, Error, IntegrityError, close_old_connections, connection, transaction

from core import retry
from core.db.faults import Fault, fault_of
from leads.models import Lead
from routing.models import Source
from tests import characters


def error_of(statement):
    with pytest.raises(Error) as failed, connection.cursor() as cursor:
        cursor.execute(statement)
    return failed.value


@pytest.fixture
def reconnected():
    """Connects again afterwards, because the session was changed."""
    yield
    connection.close()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
class TestOfPostgreSQL:
    @pytest.mark.parametrize(
        ("statement", "fault"),
        [
            ("SELECT no_such_column FROM leads_lead", Fault.SCHEMA),
            ("SELECT 1 FROM no_such_table", Fault.SCHEMA),
            ("SELECT name = 1 FROM leads_lead", Fault.SCHEMA),
            ("SELECT 1 FROM no_such_schema.leads_lead", Fault.SCHEMA),
            ("SET statement_timeout = 1; SELECT pg_sleep(10)", Fault.BUSY),
            ("SET ROLE pg_monitor; SELECT 1 FROM leads_lead", Fault.UNAVAILABLE),
            ("SELECT pg_terminate_backend(pg_backend_pid())", Fault.UNAVAILABLE),
            ("EXECUTE forgotten", Fault.UNAVAILABLE),
            ("SELECT FROM WHERE", None),
            ("SELECT 1 / 0", None),
            ("SELECT 'a'::int", None),
            ("INSERT INTO leads_lead (name) VALUES (NULL)", None),
        ],
    )
    def test_an_error_of_a_statement(self, reconnected, statement, fault):
        for part in statement.split("; ")[:-1]:
            connection.cursor().execute(part)
        assert fault_of(error_of(statement.split("; ")[-1])) == fault

    @pytest.mark.parametrize("state", ["40001", "40P01", "53100", "53300", "25P03", "XX001"])
    def test_every_fault_that_is_hard_to_make_has_its_state(self, state):
        raised = error_of(f"DO $$ BEGIN RAISE EXCEPTION 'made' USING ERRCODE = '{state}'; END $$")
        expected = {"40001": Fault.BUSY, "40P01": Fault.BUSY, "53100": Fault.FULL}
        assert fault_of(raised) == expected.get(state, Fault.UNAVAILABLE)

    def test_a_session_that_may_not_write_is_closed_for_another_that_may(self, reconnected):
        connection.cursor().execute("SET default_transaction_read_only = on")
        with pytest.raises(DatabaseError) as refused:
            Lead.objects.create(name="Anna")
        assert fault_of(refused.value) == Fault.READ_ONLY
        close_old_connections()  # as after each request
        Lead.objects.create(name="Boris")
        assert [lead.name for lead in Lead.objects.all()] == ["Boris"]

    def test_so_it_is_within_a_transaction_that_is_tried_again(self, reconnected):
        connection.cursor().execute("SET default_transaction_read_only = on")
        with pytest.raises(DatabaseError) as refused:
            characters.run_attempts(lambda attempt: Lead.objects.create(name="Anna"))
        assert fault_of(refused.value) == Fault.READ_ONLY
        characters.run_attempts(lambda attempt: Lead.objects.create(name="Boris"))
        assert [lead.name for lead in Lead.objects.all()] == ["Boris"]

    def test_a_transaction_that_the_server_has_ended_for_idling_is_no_defect(self, reconnected):
        connection.cursor().execute("SET idle_in_transaction_session_timeout = 50")

        @transaction.atomic
        def idle():
            Lead.objects.count()
            select.select([connection.connection], [], [], 300)  # until the server says goodbye
            Lead.objects.count()

        with pytest.raises(Error) as ended:
            idle()
        assert fault_of(ended.value) == Fault.UNAVAILABLE

    def test_a_connection_that_is_lost_when_all_rows_are_read_is_no_defect(self, reconnected):
        """As `iterator()` does it, whose last word to the server is that the cursor is closed."""
        cursor = connection.chunked_cursor()
        cursor.execute("SELECT generate_series(1, 3)")
        assert cursor.fetchall() == [(1,), (2,), (3,)]
        with socket.socket(fileno=os.dup(connection.connection.fileno())) as ours:
            ours.shutdown(socket.SHUT_RDWR)
        cursor.close()
        assert fault_of(error_of("SELECT 1")) == Fault.UNAVAILABLE

    def test_nobody_who_only_reads_is_connected_to(self):
        """As libpq says it, which has no SQLSTATE."""
        params = connection.get_connection_params() | {"options": "-c default_transaction_read_only=on"}
        with pytest.raises(Error) as refused, connection.wrap_database_errors:
            psycopg.connect(**params)
        assert fault_of(refused.value) == Fault.READ_ONLY


def sqlite_error(act):
    with pytest.raises(sqlite3.Error) as failed:
        act()
    return failed.value


class TestOfSQLite:
    @pytest.fixture
    def file(self, tmp_path):
        file = tmp_path / "db.sqlite3"
        with sqlite3.connect(file) as filled:
            filled.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, name NOT NULL)")
        filled.close()
        return file

    @pytest.mark.parametrize(
        ("statement", "fault"),
        [
            ("SELECT label FROM person", Fault.SCHEMA),
            ("INSERT INTO person (label) VALUES (1)", Fault.SCHEMA),
            ("SELECT 1 FROM operator", Fault.SCHEMA),
            ("SELECT FROM WHERE", None),
            ("SELECT no_such_function()", None),
            ("INSERT INTO person (name) VALUES (NULL)", None),
        ],
    )
    def test_an_error_of_a_statement(self, file, statement, fault):
        assert fault_of(sqlite_error(lambda: sqlite3.connect(file).execute(statement))) == fault

    def test_a_file_that_may_only_be_read(self, file):
        reader = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
        insert = "INSERT INTO person (name) VALUES ('Anna')"
        assert fault_of(sqlite_error(lambda: reader.execute(insert))) == Fault.READ_ONLY

    def test_a_file_that_another_process_writes(self, file):
        writer = sqlite3.connect(file, isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        other = sqlite3.connect(file, timeout=0.01)
        assert fault_of(sqlite_error(lambda: other.execute("BEGIN IMMEDIATE"))) == Fault.BUSY

    def test_a_file_that_is_full(self, file):
        small = sqlite3.connect(file)
        small.execute("PRAGMA max_page_count = 2")
        insert = "INSERT INTO person (name) VALUES (zeroblob(100000))"
        assert fault_of(sqlite_error(lambda: small.execute(insert))) == Fault.FULL

    def test_a_file_that_is_none(self, tmp_path):
        (tmp_path / "text").write_text("not a database, and longer than a header is" * 100)
        select = "SELECT 1 FROM sqlite_schema"
        assert fault_of(sqlite_error(lambda: sqlite3.connect(tmp_path / "text").execute(select))) == Fault.UNAVAILABLE

    def test_a_folder_that_is_not_there(self, tmp_path):
        assert fault_of(sqlite_error(lambda: sqlite3.connect(tmp_path / "no" / "file"))) == Fault.UNAVAILABLE


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_there_already_is_no_fault():
    Source.objects.create(name="Bot")
    with pytest.raises(IntegrityError) as refused:
        Source.objects.create(name="Bot")
    assert fault_of(refused.value) is None


def test_what_no_database_has_raised_is_no_fault():
    assert fault_of(ValueError("deadlock detected")) is None
    assert fault_of(retry.LostRace()) is None
    assert fault_of(None) is None
