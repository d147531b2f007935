"""A commit that is not confirmed in time ends with its connection; others are left alone."""

import socket
from collections.abc import Iterator

import pytest

from core.db.postgresql.commit_watch import CommitWatch


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_the_wait_for_a_commit_ends_when_its_time_is_over(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    with CommitWatch().limit(ours.fileno(), 0):
        assert ours.recv(1) == b""
    assert theirs.recv(1) == b""


def test_one_in_time_keeps_its_connection(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    watch = CommitWatch()
    with watch.limit(ours.fileno(), 1000):
        watch.look()
    watch.look()
    ours.send(b"x")
    assert theirs.recv(1) == b"x"


def test_one_that_has_ended_is_not_watched_any_more(pair: tuple[socket.socket, socket.socket]) -> None:
    watch = CommitWatch()
    with watch.limit(pair[0].fileno(), 1000):
        assert watch.commits
    assert not watch.commits
