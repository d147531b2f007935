"""Of several hosts the primary is chosen; of two primaries the one that was promoted last."""

from typing import Any

import pytest
from psycopg import OperationalError

from core.db.postgresql.several import connect_to_primary, is_choice

ASKED = {"host": "one,two,three", "port": "1,2,3", "target_session_attrs": "read-write", "connect_timeout": 5}


class Connection:
    """One to a host whose timeline is given."""

    def __init__(self, host: str, timeline: str | None) -> None:
        self.host, self.timeline, self.is_open = host, timeline, True

    def execute(self, query: str) -> "Connection":
        if self.timeline is None:
            raise OperationalError("recovery is in progress")
        return self

    def fetchone(self) -> list[str | None]:
        return [self.timeline]

    def rollback(self) -> None:
        pass

    def close(self) -> None:
        self.is_open = False


class Hosts:
    """`primaries` by name, with their timelines; all other hosts are away."""

    def __init__(self, **primaries: str | None) -> None:
        self.primaries = primaries
        self.asked: list[dict[str, Any]] = []
        self.made: list[Connection] = []

    def connect(self, asked: dict[str, Any]) -> Connection:
        self.asked.append(asked)
        if asked["host"] not in self.primaries:
            raise OperationalError(f"{asked['host']} is away")
        self.made.append(Connection(asked["host"], self.primaries[asked["host"]]))
        return self.made[-1]


def test_the_only_primary_is_taken_wherever_it_stands() -> None:
    assert connect_to_primary(Hosts(three="00000001").connect, ASKED).host == "three"


def test_of_two_primaries_the_promoted_one_is_taken_and_the_other_left_alone() -> None:
    hosts = Hosts(one="00000001", two="0000000A")
    assert connect_to_primary(hosts.connect, ASKED).host == "two"
    assert [(it.host, it.is_open) for it in hosts.made] == [("one", False), ("two", True)]


def test_two_addresses_of_one_server_are_no_choice() -> None:
    assert connect_to_primary(Hosts(one="00000002", two="00000002").connect, ASKED).host == "one"


def test_one_that_becomes_a_standby_just_now_is_not_taken() -> None:
    assert connect_to_primary(Hosts(one=None, two="00000001").connect, ASKED).host == "two"


def test_what_each_host_says_is_in_the_error() -> None:
    with pytest.raises(OperationalError, match="one is away\ntwo is away\nthree is away"):
        connect_to_primary(Hosts().connect, ASKED)


def test_each_host_has_its_port_and_a_further_one_is_not_waited_for_as_long() -> None:
    hosts = Hosts(two="00000001")
    connect_to_primary(hosts.connect, ASKED)
    asked = [(each["host"], each["port"], each["connect_timeout"]) for each in hosts.asked]
    assert asked == [("one", "1", 5), ("two", "2", 5), ("three", "3", 2)]


def test_who_asks_for_any_host_gets_what_libpq_finds() -> None:
    assert is_choice(ASKED)
    assert not is_choice(ASKED | {"target_session_attrs": "prefer-standby"})
    assert not is_choice(ASKED | {"host": "one"})
