"""Stores many rows as they are, with ids and times, for data that come from elsewhere."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model

from core.db.writes import is_computed

PLAIN = (type(None), bool, int, float, str)  # types that the database takes as they are
PLAIN_FOR_POSTGRESQL = (*PLAIN, datetime)


def store_as_given(rows: Sequence[Model]) -> None:
    """Inserts instances of one model with all values that they have, as fast as the database can.

    Rows without an id get one from the database; the instances do not. `bulk_create` would replace the times.
    """
    if not rows:
        return
    database = connections[DEFAULT_DB_ALIAS]
    quote = database.ops.quote_name
    meta = rows[0]._meta
    fields = [
        field
        for field in meta.local_concrete_fields
        if not (is_computed(field) or (field.primary_key and rows[0].pk is None))
    ]
    table, columns = quote(meta.db_table), ", ".join(quote(str(field.column)) for field in fields)
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            with (
                database.wrap_database_errors,  # Django wraps those of `execute` only
                cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
            ):
                for row in rows:
                    copy.write_row([value_of(row, field, PLAIN_FOR_POSTGRESQL) for field in fields])
        else:
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(
                f"INSERT INTO {table} ({columns}) VALUES ({marks})",
                [[value_of(row, field, PLAIN) for field in fields] for row in rows],
            )


def value_of(row: Model, field: Any, plain: Collection[type]) -> Any:
    value = getattr(row, field.attname)
    return value if type(value) in plain else field.get_db_prep_save(value, connections[DEFAULT_DB_ALIAS])


def lock_tables(models: Sequence[type[Model]]) -> None:
    """Lets no other transaction write or lock rows of these models until this one ends. Locks them in this order.

    On SQLite every transaction does so.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "postgresql":
        names = ", ".join(database.ops.quote_name(model._meta.db_table) for model in models)
        with database.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE")


def analyze_tables(models: Sequence[type[Model]]) -> None:
    """Until then queries are planned as for empty tables. PostgreSQL does it by itself a minute after a commit."""
    database = connections[DEFAULT_DB_ALIAS]
    with database.cursor() as cursor:
        for model in models:
            cursor.execute(f"ANALYZE {database.ops.quote_name(model._meta.db_table)}")


def move_sequences(models: Sequence[type[Model]]) -> None:
    """Lets new ids follow the highest, after rows were stored with ids. The caller has locked the tables, or is alone.

    Cannot be rolled back.
    """
    database = connections[DEFAULT_DB_ALIAS]
    with database.cursor() as cursor:
        for statement in database.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)
