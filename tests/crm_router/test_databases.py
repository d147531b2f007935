"""How PostgreSQL is told its bounds."""

import pytest

from crm_router import databases

pytestmark = pytest.mark.once

BOUNDS = {"statement": 30.0, "lock": 0.5, "idle_in_transaction": 0.0}
POSTGRESQL = "django.db.backends.postgresql"


def told(options: dict[str, str], *, behind_pooler: bool = False, engine: str = POSTGRESQL) -> str | None:
    database = {"ENGINE": engine, "OPTIONS": options}
    databases.bound_requests(database, behind_pooler=behind_pooler, **BOUNDS)
    return options.get("options")


def test_seconds_become_milliseconds():
    expected = "-c statement_timeout=30000 -c lock_timeout=500 -c idle_in_transaction_session_timeout=0"
    assert told({}) == expected


def test_what_the_address_says_has_the_last_word():
    assert str(told({"options": "-c lock_timeout=1"})).endswith(" -c lock_timeout=1")


def test_a_pooler_and_sqlite_are_told_nothing():
    assert told({}, behind_pooler=True) is None
    assert told({}, engine="sql.sqlite") is None
