"""Reads many pages as if they were one statement, while others write."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction


@contextmanager
def read_snapshot() -> Iterator[None]:
    """All statements inside see what was committed when the first of them began. They must not write.

    It takes no locks, so the service goes on. Meanwhile PostgreSQL keeps the row versions that it may still see, and
    SQLite's log grows. Inside a transaction, or another snapshot, there is none of its own.
    """
    if connection.in_atomic_block or is_in_snapshot():
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        # Not `atomic`: its transactions are IMMEDIATE, and would keep every writer out.
        run("BEGIN DEFERRED")
        try:
            yield
        finally:
            if is_in_snapshot():  # else the connection was lost
                run("ROLLBACK")


def is_in_snapshot() -> bool:
    """Whether a transaction of SQLite was begun here, which Django does not know of."""
    opened: Any = connection.connection if connection.vendor == "sqlite" else None
    return opened is not None and opened.in_transaction


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
