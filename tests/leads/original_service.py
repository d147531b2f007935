"""Databases as the original service writes them: SQLite files and PostgreSQL, with made-up people."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import psycopg

COLUMNS = {
    "operators": "id, name, is_active, max_load, current_load, created_at, updated_at",
    "sources": "id, name, description, created_at, updated_at",
    "source_operator_weights": "source_id, operator_id, weight",
    "leads": "id, phone, email, name, created_at, updated_at",
    "contacts": "id, lead_id, source_id, operator_id, message, is_resolved, created_at, updated_at",
}
TYPES = {
    "name": "VARCHAR(255)",
    "is_active": "BOOLEAN",
    "is_resolved": "BOOLEAN",
    "created_at": "TIMESTAMP",
    "updated_at": "TIMESTAMP",
    "phone": "VARCHAR(20)",
    "email": "VARCHAR(255)",
    "description": "VARCHAR(500)",
    "message": "TEXT",
}

START = datetime(2026, 11, 26, 14)
Rows = list[tuple[Any, ...]]


def at(second: int) -> str:
    """A moment without a time zone, as the original service writes it: in UTC."""
    return str(START + timedelta(seconds=second))


def operator(pk: int, name: str = "Anna", *, limit: int = 10, on_duty: bool = True) -> tuple[Any, ...]:
    return pk, name, on_duty, limit, 0, at(pk), at(pk)


def source(pk: int, name: str = "Telegram Bot", description: str | None = None) -> tuple[Any, ...]:
    return pk, name, description, at(pk), at(pk)


def lead(pk: int, phone: str | None = None, email: str | None = None, name: str | None = None) -> tuple[Any, ...]:
    return pk, phone, email, name, at(pk), at(pk)


def contact(
    pk: int, *, by: int, source: int = 1, to: int | None = None, message: str | None = "Hi!", resolved: bool = False
) -> tuple[Any, ...]:
    return pk, by, source, to, message, resolved, at(pk), at(pk + 60)


def create(table: str) -> str:
    columns = ", ".join(f"{name} {TYPES.get(name, 'INTEGER')}" for name in COLUMNS[table].split(", "))
    return f"CREATE TABLE {table} ({columns})"


def insert(table: str, mark: str) -> str:
    return f"INSERT INTO {table} VALUES ({', '.join([mark] * len(COLUMNS[table].split(', ')))})"


def write_sqlite(path: Any, **tables: Rows) -> str:
    """Adds these rows to the file, which is created if need be. Returns its path."""
    with closing(sqlite3.connect(path)) as database, database:
        for table in COLUMNS:
            database.execute(create(table).replace("TABLE", "TABLE IF NOT EXISTS"))
            database.executemany(insert(table, "?"), tables.get(table, []))
    return str(path)


def write_postgresql(url: str, **tables: Rows) -> None:
    """Creates the tables in an empty schema, which the URL names, and writes these rows."""
    with psycopg.connect(url) as database, database.cursor() as cursor:
        for table in COLUMNS:
            cursor.execute(create(table))
            cursor.executemany(insert(table, "%s"), tables.get(table, []))
