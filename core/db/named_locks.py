"""Locks that belong to no row, held until the end of the transaction."""

from django.db import connection

from core.db.compiled import run_statement

LOCK = "SELECT pg_advisory_xact_lock(CAST(%s AS integer), CAST(%s AS integer))"


def wait_for_turn(purpose: int, number: int) -> None:
    """Waits until no other transaction holds this lock, and holds it until the end of the caller's transaction.

    Take it before all other locks, and at most one, so that it is part of no deadlock. `purpose` tells apart what the
    numbers stand for; numbers that are the same in their lowest 31 bits wait for each other. SQLite, where one
    transaction writes at a time, needs no such lock.
    """
    if connection.vendor == "postgresql":
        run_statement(LOCK, [purpose, number % 2**31])
