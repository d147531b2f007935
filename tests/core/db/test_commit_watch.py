"""A commit that is not confirmed in time ends with its connection; others are left alone."""

import os
import socket
from collections.abc import Iterator

import pytest
from django.db import connection

from core.db.postgresql.commit_watch import CommitWatch, watch


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_the_wait_for_a_commit_ends_when_its_time_is_over(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    watch = CommitWatch()
    commit = watch.begin(ours.fileno(), 0)
    assert ours.recv(1) == b""
    watch.end(commit)
    assert theirs.recv(1) == b""
    assert watch.given_up == 1


def test_one_in_time_keeps_its_connection(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    watch = CommitWatch()
    commit = watch.begin(ours.fileno(), 1000)
    watch.look()
    watch.end(commit)
    watch.look()
    ours.send(b"x")
    assert theirs.recv(1) == b"x"


def test_nothing_stays_open_of_one_that_has_ended(pair: tuple[socket.socket, socket.socket]) -> None:
    watch = CommitWatch()
    commit = watch.begin(pair[0].fileno(), 1000)
    watch.end(commit)
    assert not watch.commits
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(commit)


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_other_connections_of_the_process_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    connection.ensure_connection()
    assert connection.is_usable()
    monkeypatch.setattr(watch, "given_up", watch.given_up + 1)
    assert not connection.is_usable()
