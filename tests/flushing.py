"""Empties the tables after a test with several connections.

Django has no public way to do this otherwise than by its command `flush`. Used instead, as of Django 5.2:
`TransactionTestCase._fixture_teardown`, which `_post_teardown` calls, and which does nothing but call the command.
tests/core/test_flushing.py fails when that changes.
"""

from itertools import compress

from django.core.management import call_command
from django.db import connection
from django.test import TransactionTestCase

KEPT = {"django_content_type", "auth_permission"}  # no test changes them, and `flush` would fill them again
LARGE = 512 * 1024  # bytes: deleted rows stay in a table of PostgreSQL for a while


FLUSH = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined] # Django's own


def use_deletion() -> None:
    """In place of `flush`: on PostgreSQL it truncates every table, which takes longer than most tests."""
    TransactionTestCase._fixture_teardown = lambda test: empty_tables()  # type: ignore[attr-defined]


def empty_tables() -> None:
    if connection.vendor == "postgresql" and largest_table() > LARGE:
        call_command("flush", verbosity=0, interactive=False, reset_sequences=False)
    else:
        connection.ops.execute_sql_flush([f"DELETE FROM {table}" for table in tables_with_rows()])


def tables_with_rows() -> list[str]:
    """Of the fifty, a test fills a few. Their names are quoted."""
    found = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT
    names = [connection.ops.quote_name(name) for name in sorted(found)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"EXISTS (SELECT 1 FROM {name})" for name in names))
        return list(compress(names, cursor.fetchone()))


def largest_table() -> int:
    """Its size in bytes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(pg_relation_size(relid)) FROM pg_stat_user_tables")
        [size] = cursor.fetchone()
    return int(size)
