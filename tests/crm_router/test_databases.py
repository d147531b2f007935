"""How PostgreSQL is told its bounds."""

from typing import Any

import pytest
from environs import EnvError

from crm_router import databases

pytestmark = pytest.mark.once

BOUNDS = {"statement": 30.0, "lock": 0.5, "idle_in_transaction": 0.0, "commit": 8.0}
POSTGRESQL = "django.db.backends.postgresql"


def told(options: dict[str, str], *, behind_pooler: bool = False, engine: str = POSTGRESQL) -> str | None:
    database = {"ENGINE": engine, "OPTIONS": options}
    databases.limit_request_time(database, behind_pooler=behind_pooler, **BOUNDS)
    return options.get("options")


def test_a_socket_in_place_of_the_name_is_refused_with_the_right_spelling():
    with pytest.raises(EnvError, match=r"postgres:///crm-router\?host=/var/run/postgresql$"):
        databases.parse_database_url("postgres:///var/run/postgresql/crm-router")


@pytest.mark.parametrize("url", ["postgres:///crm?host=/run/postgresql", "postgres://%2Frun%2Fpostgresql/crm"])
def test_the_folder_of_a_socket_may_be_spelled_in_two_ways(url):
    database = databases.database_settings(
        url=databases.parse_database_url(url), connect_timeout=5, network_timeout=6, behind_pooler=False
    )
    assert (database["NAME"], database["HOST"]) == ("crm", "/run/postgresql")
    assert "host" not in database["OPTIONS"], "pg_dump would not see it there"
    assert databases.describe_database(database) == "crm on /run/postgresql:5432"


def test_what_else_stands_behind_the_question_mark_stays():
    parsed = databases.parse_database_url("postgres://crm@/crm?host=db.example.com&port=6432&sslmode=verify-full")
    assert (parsed["HOST"], parsed["PORT"], parsed["OPTIONS"]) == ("db.example.com", 6432, {"sslmode": "verify-full"})


SEVERAL = "postgres://crm:p%2Cw@one:5432,two,[fd00::3]:6432/name?sslmode=require"


def settings_of(url: str) -> dict[str, Any]:
    return databases.database_settings(
        url=databases.parse_database_url(url), connect_timeout=5, network_timeout=6, behind_pooler=False
    )


@pytest.mark.parametrize("url", [SEVERAL, "postgres://crm:p%2Cw@/name?host=one,two,fd00::3&port=5432,5432,6432"])
def test_several_hosts_may_be_spelled_in_two_ways(url: str) -> None:
    database = settings_of(url)
    assert (database["HOST"], database["PORT"]) == ("one,two,fd00::3", "5432,5432,6432")
    assert (database["USER"], database["PASSWORD"], database["NAME"]) == ("crm", "p,w", "name")
    assert database["OPTIONS"]["target_session_attrs"] == "read-write"
    assert databases.describe_database(database) == "name on one:5432, two:5432, fd00::3:6432"


def test_options_of_several_hosts_stay() -> None:
    assert settings_of(SEVERAL)["OPTIONS"]["sslmode"] == "require"


def test_one_port_counts_for_all_hosts() -> None:
    database = settings_of("postgres://crm@/name?host=one,two&port=6432")
    assert databases.describe_database(database) == "name on one:6432, two:6432"


@pytest.mark.parametrize("url", ["postgres://one,,two/name", "postgres://one:x,two/name", "postgres://a:1,b:2:3/name"])
def test_a_host_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(EnvError, match="is not a valid database URL"):
        databases.parse_database_url(url)


def test_as_many_ports_as_hosts() -> None:
    with pytest.raises(EnvError, match=r"names 3 hosts and 2 ports\.$"):
        databases.parse_database_url("postgres:///name?host=one,two,three&port=1,2")


def options_of(url: str, *, network_timeout: int = 6) -> dict[str, object]:
    parsed = databases.parse_database_url(url)
    settings = databases.database_settings(
        url=parsed, connect_timeout=5, network_timeout=network_timeout, behind_pooler=False
    )
    options: dict[str, object] = settings["OPTIONS"]
    return options


def test_a_host_that_vanishes_is_noticed_by_default() -> None:
    options = options_of("postgres:///crm")
    assert (options["tcp_user_timeout"], options["target_session_attrs"]) == (6000, "read-write")
    keepalives = [options[f"keepalives_{name}"] for name in ("idle", "interval", "count")]
    assert keepalives == [3, 1, 3]


def test_the_address_may_say_otherwise() -> None:
    options = options_of("postgres:///crm?tcp_user_timeout=60000&target_session_attrs=any&keepalives_idle=100")
    assert (options["tcp_user_timeout"], options["target_session_attrs"]) == (60_000, "any")
    assert options["keepalives_idle"] == 100


def test_without_a_time_the_system_decides() -> None:
    assert not {"tcp_user_timeout", "keepalives_idle"} & options_of("postgres:///crm", network_timeout=0).keys()


def replica_of(url: str, *, connect_timeout: int = 5) -> dict[str, object]:
    parsed = databases.parse_replica_url(url)
    settings = databases.replica_settings(
        url=parsed, connect_timeout=connect_timeout, network_timeout=6, behind_pooler=False
    )
    options: dict[str, object] = settings["OPTIONS"]
    return options


def test_a_replica_is_a_standby_and_not_waited_for_long() -> None:
    assert {"target_session_attrs": "standby", "connect_timeout": 2}.items() <= replica_of("postgres:///crm").items()
    assert replica_of("postgres:///crm", connect_timeout=1)["connect_timeout"] == 1
    assert replica_of("postgres:///crm?target_session_attrs=any")["target_session_attrs"] == "any"


def test_no_replica_is_none() -> None:
    assert databases.parse_replica_url("") == {}


def test_seconds_become_milliseconds():
    expected = "-c statement_timeout=30000 -c lock_timeout=500 -c idle_in_transaction_session_timeout=0"
    assert told({}) == expected


def test_what_the_address_says_has_the_last_word():
    assert str(told({"options": "-c lock_timeout=1"})).endswith(" -c lock_timeout=1")


def test_the_wait_for_a_commit_is_limited_also_behind_a_pooler() -> None:
    database: dict[str, Any] = {"ENGINE": POSTGRESQL, "OPTIONS": {}}
    databases.limit_request_time(database, behind_pooler=True, **BOUNDS)
    assert database["COMMIT_TIMEOUT"] == 8.0


def test_a_pooler_and_sqlite_are_told_nothing():
    assert told({}, behind_pooler=True) is None
    assert told({}, engine="core.db.sqlite") is None
