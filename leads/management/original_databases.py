"""Reads the database of the original service: an SQLite file, or PostgreSQL."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Any

import psycopg
from django.core.management import CommandError

from leads.original_rows import TABLES, Row

POSTGRESQL = re.compile(r"postgres(ql)?(\+\w+)?://")  # SQLAlchemy names its driver: postgresql+asyncpg://
SQLITE = re.compile(r"sqlite(\+\w+)?:///")
TOGETHER = 1_000  # rows fetched in one step

Fetch = Callable[[str], Iterator[tuple[Any, ...]]]


class OriginalDatabase:
    """The rows of the database at one moment. Raises CommandError if they are not those of the original service."""

    def __init__(self, fetch: Fetch) -> None:
        self.fetch = fetch

    def count(self) -> int:
        """The rows of all tables."""
        return sum(number for table in TABLES.values() for (number,) in self.rows(f"SELECT count(*) FROM {table}"))

    def read(self, kind: type[Row]) -> Iterator[Row]:
        columns = list(kind.__annotations__)
        order = "id" if "id" in columns else "source_id, operator_id"
        converters = [CONVERTERS[annotation] for annotation in kind.__annotations__.values()]
        for values in self.rows(f"SELECT {', '.join(columns)} FROM {TABLES[kind]} ORDER BY {order}"):
            try:
                yield kind(*[convert(value) for convert, value in zip(converters, values, strict=True)])
            except (TypeError, ValueError) as error:
                raise CommandError(f"Table {TABLES[kind]}, row {values[0]} cannot be read: {error}.") from error

    def rows(self, query: str) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self.fetch(query)
        except (sqlite3.Error, psycopg.Error) as error:
            first_line = str(error).partition("\n")[0]
            raise CommandError(f"This is not a database of the original service: {first_line}.") from error


@contextmanager
def opened(place: str) -> Iterator[OriginalDatabase]:
    """The database in this file or at this URL, as SQLAlchemy writes it too. It is not changed."""
    with ExitStack() as stack:
        try:
            if POSTGRESQL.match(place):
                fetch = stack.enter_context(postgresql(POSTGRESQL.sub("postgresql://", place, count=1)))
            else:
                fetch = stack.enter_context(sqlite(Path(SQLITE.sub("", place, count=1).partition("?")[0])))
        except (sqlite3.Error, psycopg.Error) as error:
            raise CommandError(f"The original database cannot be opened: {error}") from error
        yield OriginalDatabase(fetch)


@contextmanager
def sqlite(file: Path) -> Iterator[Fetch]:
    if not file.is_file():
        raise CommandError(f"File {file} does not exist.")
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)) as database:
        database.text_factory = decoded
        database.execute("BEGIN")
        yield database.execute


@contextmanager
def postgresql(url: str) -> Iterator[Fetch]:
    with psycopg.connect(url, application_name="import_original") as database:
        database.read_only = True
        database.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

        def fetch(query: str) -> Iterator[tuple[Any, ...]]:
            with database.cursor(name="original") as cursor:
                cursor.itersize = TOGETHER
                cursor.execute(query)
                yield from cursor

        yield fetch


def decoded(value: bytes) -> str:
    return value.decode(errors="replace")


def text(value: Any) -> str:
    return decoded(value) if isinstance(value, bytes) else str(value)


def moment(value: Any) -> datetime:
    """A moment without a zone is in UTC."""
    read = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def optional(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else convert(value)


CONVERTERS: dict[type | UnionType, Callable[[Any], Any]] = {
    int: int,
    bool: bool,
    str: lambda value: "" if value is None else text(value),
    datetime: moment,
    int | None: optional(int),
    str | None: optional(text),
}
