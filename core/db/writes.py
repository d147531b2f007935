"""Stores several rows and changes that may refer to one another: on PostgreSQL in one statement (ADR 0021)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import AutoField, Field, ForeignKey, Model
from django.utils import timezone

from core.db.compiled import Update, run_statement
from core.retry import LostRace, NothingWritten


@dataclass(frozen=True, slots=True)
class Change:
    """A compiled update with its values. If it `is_required` and finds no row, nothing is written.

    It `comes_first` if the transaction has written nothing before.
    """

    update: Update
    values: tuple[Any, ...]
    is_required: bool = True
    comes_first: bool = False


class Row:
    """A new row that is not needed as an instance: creating an instance costs as much as its share of the statement.

    Values are given by field name; for a foreign key either the id by its column's name, or an instance by the field's
    name, which may be stored together with the row. Other fields get their defaults.
    """

    __slots__ = ("model", "values")

    def __init__(self, model: type[Model], **values: Any) -> None:
        self.model = model
        self.values = values


ROWS_TOGETHER = 500  # in one statement on SQLite, which takes 32,766 values

Part = Model | Row | Change
Reference = tuple[str, int]  # the column's name of a foreign key, and the place of the part that it refers to
Shape = tuple[Any, Any]  # of a row: its table and its references; of a change: its update and whether it is required


def store(*parts: Part) -> None:
    """Inserts rows and instances, whose ids it sets, and makes changes, in this order.

    A row may refer to instances before it, which have no id yet. `auto_now` and `auto_now_add` are set to one moment.
    Raises LostRace when a change that is required finds no row; NothingWritten when that one comes first.
    """
    database = connections[DEFAULT_DB_ALIAS]
    now = timezone.now()
    shapes: list[Shape] = []
    values: list[Any] = []
    for place, part in enumerate(parts):
        if isinstance(part, Change):
            if not part.update.sql:
                part.update.prepare()
            shapes.append((part.update, part.is_required))
            values += part.update.bind(part.values)
        else:
            table = table_of(part.model, tuple(part.values)) if isinstance(part, Row) else table_of(type(part))
            references, of_row = table.read(part, parts[:place], now)
            shapes.append((table, references))
            values += of_row
    shape = tuple(shapes)
    if database.vendor == "postgresql":
        # The ids of rows, and for changes whether they found a row. All parts of a WITH are run, or none.
        ids: Sequence[Any] = run_statement(sql_of(shape), values).fetchone()
    else:
        ids = store_one_by_one(shape, values)
    for part, found in zip(parts, ids, strict=True):
        if isinstance(part, Change) and part.is_required and not found:
            raise NothingWritten if part.comes_first else LostRace
    for part, (_, references), pk in zip(parts, shape, ids, strict=True):
        if isinstance(part, Model):
            part.pk, part._state.adding, part._state.db = pk, False, database.alias
            for name, place in references:
                vars(part)[name] = ids[place]  # setattr would drop the cached related instance


@cache
def sql_of(shape: tuple[Shape, ...]) -> str:
    """The WITH statement. Each part waits for the required changes before it, so that locks follow their order."""
    parts: list[str] = []
    required: list[str] = []
    for place, (what, references) in enumerate(shape):
        name = f'"part_{place}"'
        conditions = [f"EXISTS (SELECT FROM {other})" for other in required]
        if isinstance(what, Update):
            parts.append(f"{name} AS ({' AND '.join([what.sql, *conditions])} RETURNING 1)")
            if references is True:
                required.append(name)
        else:
            where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
            ids = [f'(SELECT "id" FROM "part_{other}")' for _, other in references]
            parts.append(f'{name} ("id") AS ({what.insert(references, ids)}{where} RETURNING {what.pk})')
    # A change may find several rows, of which one is enough to tell that it has found any.
    results = [f'(SELECT * FROM "part_{place}" LIMIT 1)' for place in range(len(shape))]
    return f"WITH {', '.join(parts)} SELECT {', '.join(results)}"


def store_one_by_one(shape: tuple[Shape, ...], values: list[Any]) -> list[Any]:
    """Does the same with one statement per part. Stops after a required change that finds no row."""
    ids: list[Any] = []
    cursor = connections[DEFAULT_DB_ALIAS].cursor()
    start = 0
    for what, references in shape:
        if isinstance(what, Update):
            end = start + len(what.params)
            cursor.execute(what.sql, values[start:end])
            ids.append(cursor.rowcount)
            if references and not cursor.rowcount:
                return ids + [None] * (len(shape) - len(ids))
        else:
            end = start + len(what.fields) - len(references)
            referred = [ids[other] for _, other in references]
            insert = what.insert(references, ["%s"] * len(references))
            cursor.execute(f"{insert} RETURNING {what.pk}", [*values[start:end], *referred])
            ids.append(cursor.fetchone()[0])
        start = end
    return ids


def store_many(rows: Sequence[Model | Row]) -> None:
    """Inserts many rows or instances of one model; sets the instances' ids. Related objects must be stored already."""
    if not rows:
        return
    database = connections[DEFAULT_DB_ALIAS]
    now = timezone.now()
    table = table_of(rows[0].model if isinstance(rows[0], Row) else type(rows[0]))
    values = [table.read(row, (), now)[1] for row in rows]
    with database.cursor() as cursor:
        if database.vendor == "postgresql":
            # One parameter for each column: one for each value would take longer to bind than to store.
            columns = [list(column) for column in zip(*values, strict=True)]
            cursor.execute(f"{table.insert_arrays()} RETURNING {table.pk}", columns)
            ids = [pk for (pk,) in cursor.fetchall()]
        else:
            ids = []
            for some in (values[start : start + ROWS_TOGETHER] for start in range(0, len(values), ROWS_TOGETHER)):
                cursor.execute(f"{table.insert_rows(len(some))} RETURNING {table.pk}", list(chain.from_iterable(some)))
                ids += [pk for (pk,) in cursor.fetchall()]
    for row, pk in zip(rows, ids, strict=True):
        if isinstance(row, Model):
            row.pk, row._state.adding, row._state.db = pk, False, database.alias


def make_changes(changes: Sequence[Change]) -> None:
    """Makes many changes, of rows that the caller has locked and knows to be there: whether one finds its row is not
    looked at."""
    for update, of_update in groupby(changes, key=attrgetter("update")):
        update.run_many([change.values for change in of_update])


@cache
def table_of(model: type[Model], given: tuple[str, ...] | None = None) -> "Table":
    return Table(model, given)


class Table:
    """Converts instances and `Row` objects to INSERT statements of a model.

    Where only the fields `given` have values, those that the database fills are left out: psycopg converts a statement
    with more than 50 parameters again each time, which costs a registration a quarter of its instructions.
    """

    def __init__(self, model: type[Model], given: tuple[str, ...] | None = None) -> None:
        database = connections[DEFAULT_DB_ALIAS]
        self.left_out: tuple[str, ...] = getattr(model, "NULL_AT_FIRST", ())
        self.fields: list[Field[Any, Any]] = [
            field
            for field in model._meta.local_concrete_fields
            if not isinstance(field, AutoField) and not is_computed(field)
            if field.name not in self.left_out
            if given is None or field.name in given or field.attname in given or not is_filled_by_database(field)
        ]
        self.names = [(field.attname, field) for field in self.fields]
        self.foreign_keys = [(field.name, field.attname) for field in self.fields if isinstance(field, ForeignKey)]
        self.stamps = [field.attname for field in self.fields if is_stamp(field)]
        # Values of fields with callable defaults, such as uuid4, must be given.
        self.defaults = {
            field.attname: field.get_default()
            for field in self.fields
            if not (field.has_default() and callable(field.default))
        }
        quote = database.ops.quote_name
        self.columns = {field.attname: quote(str(field.column)) for field in self.fields}
        self.name, self.pk = quote(model._meta.db_table), quote(str(model._meta.pk.column))
        # Types passed unchanged: by psycopg all of these, by SQLite all except datetime and bytes.
        self.plain = {type(None), bool, int, float, str}
        if database.vendor == "postgresql":
            self.plain |= {bytes, datetime}

    def read(self, part: Model | Row, before: Sequence[Part], now: datetime) -> tuple[tuple[Reference, ...], list[Any]]:
        """The references to parts before it, and the values of all other fields, in their order."""
        if isinstance(part, Row):
            given = self.defaults | part.values
            referred = {attname: given[name] for name, attname in self.foreign_keys if name in given}
        else:
            given = vars(part)
            cached = part._state.fields_cache
            referred = {attname: cached[name] for name, attname in self.foreign_keys if cached.get(name) is not None}
        for name in self.left_out:
            if given.get(name) is not None:
                raise ValueError(f"{name} is not stored with a new row.")
        references = []
        for attname, instance in referred.items():
            if instance.pk is None:
                references.append((attname, place_of(instance, before)))
            else:
                given[attname] = instance.pk
        for attname in self.stamps:
            given[attname] = now
        waiting = dict(references)
        values = [
            value if type(value := given[name]) in self.plain else self.prepared(field, value)
            for name, field in self.names
            if name not in waiting
        ]
        return tuple(references), values

    def prepared(self, field: Any, value: Any) -> Any:
        """Prepares a value for the database. Choices become strings; psycopg would treat them as enumerations."""
        return str(value) if isinstance(value, str) else field.get_db_prep_save(value, connections[DEFAULT_DB_ALIAS])

    def insert(self, references: Sequence[Reference], ids: Sequence[str]) -> str:
        """An INSERT of one row: the values of `read` first, then the ids of the referenced parts."""
        referring = [attname for attname, _ in references]
        given = [attname for attname in self.columns if attname not in referring]
        columns = [self.columns[attname] for attname in [*given, *referring]]
        return f"INSERT INTO {self.name} ({', '.join(columns)}) SELECT {', '.join([*['%s'] * len(given), *ids])}"

    def insert_rows(self, number: int) -> str:
        marks = f"({', '.join(['%s'] * len(self.columns))})"
        return f"INSERT INTO {self.name} ({', '.join(self.columns.values())}) VALUES {', '.join([marks] * number)}"

    def insert_arrays(self) -> str:
        """PostgreSQL's INSERT of many rows, with the values of each column as one array."""
        # Types without length: a cast would truncate a long text, where the assignment raises an error.
        types = [str(field.db_type(connections[DEFAULT_DB_ALIAS])).partition("(")[0] for field in self.fields]
        arrays = ", ".join(f"%s::{kind}[]" for kind in types)
        return f"INSERT INTO {self.name} ({', '.join(self.columns.values())}) SELECT * FROM unnest({arrays})"


def is_filled_by_database(field: Any) -> bool:
    return field.has_db_default() or (field.null and not field.has_default())


def is_stamp(field: Any) -> bool:
    return getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)


def is_computed(field: Any) -> bool:
    """Whether the database computes the field's default, so that the column is left out."""
    return field.has_db_default() and not field.has_default()


def place_of(instance: Model, parts: Sequence[Part]) -> int:
    for place, part in enumerate(parts):
        if part is instance:
            return place
    raise ValueError("A row refers to an instance that is not stored before it.")
