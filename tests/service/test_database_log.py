"""The log of PostgreSQL, set up as in deploy/postgresql, holds nothing that people wrote."""

import re
import threading
from collections.abc import Iterator

import psycopg
import pytest

from tests.service.own_postgresql import Server
from tests.service.running import wait_until

pytestmark = [pytest.mark.service, pytest.mark.postgresql]

ANNA = {"phone": "+79995550123", "email": "secret.person@example.com", "message": "my secret diagnosis"}
PIECES = ["5550123", "secret"]
INSERT = "INSERT INTO lead VALUES (%(phone)s, %(email)s, %(message)s)"
UPDATE = "UPDATE lead SET message = %(message)s, email = %(email)s WHERE phone = %(phone)s"
SLOW = "SELECT pg_sleep(1.1), %(phone)s::text, %(email)s::text, %(message)s::text"

either_way = pytest.mark.parametrize("binds", [psycopg.ClientCursor, psycopg.Cursor], ids=["client", "server"])
Binds = type[psycopg.Cursor]


@pytest.fixture
def anna(empty_server: Server) -> Iterator[psycopg.Connection]:
    """A connection to a database that knows her already."""
    empty_server.log_as_deployed()
    empty_server.start()
    with psycopg.connect(empty_server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE lead (phone text UNIQUE, email text, message text)")
        connection.execute(INSERT, ANNA)
        yield connection


def quoted(server: Server) -> list[str]:
    return [piece for piece in PIECES if piece in server.log()]


@either_way
def test_a_unique_violation_is_told_without_the_row(
    empty_server: Server, anna: psycopg.Connection, binds: Binds
) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        binds(anna).execute(INSERT, ANNA)
    assert 'duplicate key value violates unique constraint "lead_phone_key"' in empty_server.log()
    assert quoted(empty_server) == []


@either_way
def test_who_waits_for_a_lock_is_told_without_the_statement(
    empty_server: Server, anna: psycopg.Connection, binds: Binds
) -> None:
    with psycopg.connect(empty_server.url) as other, anna.transaction():
        anna.execute("SELECT FROM lead FOR UPDATE")
        waiting = threading.Thread(target=binds(other).execute, args=(UPDATE, ANNA))
        waiting.start()
        wait_until(lambda: "still waiting for ShareLock" in empty_server.log(), "the wait is told")
    waiting.join()
    assert quoted(empty_server) == []


@either_way
def test_a_slow_statement_is_found_without_its_values(
    empty_server: Server, anna: psycopg.Connection, binds: Binds
) -> None:
    anna.execute("CREATE EXTENSION pg_stat_statements")
    binds(anna).execute(SLOW, ANNA)
    found = anna.execute("SELECT query FROM pg_stat_statements WHERE mean_exec_time > 1000").fetchall()
    assert [re.sub(r"\d", "", query) for [query] in found] == ["SELECT pg_sleep($), $::text, $::text, $::text"]
    assert quoted(empty_server) == []
