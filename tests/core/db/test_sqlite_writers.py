"""On SQLite, threads of one process write one after another."""

import sqlite3
import threading
import time

import pytest
from django.db import OperationalError, connection, connections, transaction

from core.db.faults import DatabaseLocked
from core.db.sqlite.line import LOOK, Line, writers

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def nobody_writes_afterwards(transactional_db: None):
    yield
    assert not writers.turn.locked()


def test_a_writer_waits_for_the_one_before() -> None:
    begun = threading.Event()

    def write() -> None:
        with transaction.atomic():
            begun.set()
        connections.close_all()

    second = threading.Thread(target=write)
    with transaction.atomic():
        second.start()
        assert not begun.wait(0.2)
    assert begun.wait(300)
    second.join()


def test_a_reader_waits_for_nobody() -> None:
    read: list[int] = []

    def count() -> None:
        with connection.cursor() as cursor:
            read.append(cursor.execute("SELECT count(*) FROM operators_operator").fetchone()[0])
        connections.close_all()

    reader = threading.Thread(target=count)
    with transaction.atomic():
        reader.start()
        reader.join(10)
    assert read == [0]


def test_a_transaction_inside_another_is_one_turn() -> None:
    with transaction.atomic(), transaction.atomic():
        assert writers.turn.locked()


def test_what_is_rolled_back_gives_way() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError
    assert not writers.turn.locked()


def test_a_closed_connection_gives_way() -> None:
    with transaction.atomic():
        connection.close()
        assert not writers.turn.locked()


def test_a_beginning_that_fails_gives_way() -> None:
    other_process = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other_process.execute("BEGIN IMMEDIATE")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    try:
        with pytest.raises(OperationalError, match="locked"), transaction.atomic():
            pass
        assert not writers.turn.locked()
    finally:
        other_process.close()
        connection.close()


def test_of_those_in_a_stuck_line_only_threads_that_serve_are_sent_away() -> None:
    line = Line()
    line.keep_threads_for_readers(4)
    line.take_turn(until=time.monotonic() + 1, serves=False)  # as the sweep, which waits for another process
    outcomes: list[tuple[bool, bool]] = []

    def wait(serves: bool) -> None:
        try:
            line.take_turn(until=time.monotonic() + 300, serves=serves)
        except DatabaseLocked:
            outcomes.append((serves, False))
        else:
            outcomes.append((serves, True))
            line.give_way()

    waiting = [threading.Thread(target=wait, args=(serves,)) for serves in (True, True, True, True, False, False)]
    for thread in waiting:
        thread.start()
    give_up_at = time.monotonic() + 300
    while len(outcomes) < 2 and time.monotonic() < give_up_at:
        time.sleep(0.05)
    time.sleep(4 * LOOK)  # nobody else leaves

    assert outcomes == [(True, False)] * 2
    line.give_way()
    for thread in waiting:
        thread.join()
    assert sorted(outcomes[2:]) == [(False, True), (False, True), (True, True), (True, True)]
    assert line.serving == set()
