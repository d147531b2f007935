"""New rows by SQL that is compiled once: several, which may refer to one another, by one statement (ADR 21)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import count
from types import NoneType
from typing import Any, TypeGuard

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, ForeignKey, Model
from django.utils import timezone

from core.db import Answer
from core.db.compiled import Later, Parameter, Run, Statement, Update, asker

# What goes to the database as it is, whatever the field. Moments are aware, and PostgreSQL takes them so.
PLAIN = {NoneType, bool, int, float, str}
PLAIN_ON_POSTGRESQL = {*PLAIN, bytes, datetime}


class NothingStored(DatabaseError):
    """What had to be changed first was not as it should be by then. Nothing has been done."""


@dataclass(frozen=True, slots=True)
class Provided:
    """An update that must find a row, and can find no more than one: it is done with what is stored, or neither is."""

    update: Update
    values: tuple[Any, ...]


class New:
    """A row that nobody needs as an instance: by fields' names (`lead_id`) its values, and the instances that it refers
    to, which may have no id yet. What is not named has the field's default, which must not be one that changes.
    """

    __slots__ = ("model", "refers", "values")

    def __init__(self, model: type[Model], refers: Mapping[str, Model], **values: Any) -> None:
        self.model = model
        self.values = values
        self.refers: dict[str, Model] = {}
        for name, referred in refers.items():
            if referred.pk is None:
                self.refers[name] = referred
            else:
                values[name] = referred.pk


Born = Model | New


def store(*rows: Born, provided: Provided | None = None) -> None:
    """Stores new instances, whose ids it sets, and rows. One may refer to instances before it, which have no id yet.

    Raises NothingStored when the update that is `provided` finds nothing.
    """
    later(*rows, provided=provided)()


def later(*rows: Born, provided: Provided | None = None) -> Later[None]:
    """As `Statement.later`; the ids are there as soon as the database has answered, whoever asked for that.

    NothingStored, too, is raised there. That may be the commit, so nothing else may have been written before.
    """
    shapes = tuple(shape(row, rows[:place]) for place, row in enumerate(rows))
    return statement(provided.update if provided else None, shapes).later(rows, provided.values if provided else ())


References = tuple[tuple[str, int], ...]  # by field the place, among all that is stored, of what it refers to
Shape = tuple[type[Model], tuple[str, ...] | None, References]  # the names of the fields that come, None for all


def shape(row: Born, before: Sequence[Born]) -> Shape:
    if isinstance(row, New):
        return row.model, tuple(row.values), tuple((name, place_of(row.refers[name], before)) for name in row.refers)
    return type(row), None, references(row, before)


def references(instance: Model, before: Sequence[Born]) -> References:
    """To what has no id yet. Ids that have come since the instance was made are filled in, as `save` does."""
    found = []
    for field in foreign_keys(type(instance)):
        if getattr(instance, field.attname) is None and field.is_cached(instance):
            referred = field.get_cached_value(instance)
            if referred is not None and referred.pk is None:
                found.append((field.attname, place_of(referred, before)))
            elif referred is not None:
                vars(instance)[field.attname] = referred.pk  # an assignment would forget the instance
    return tuple(found)


@cache
def foreign_keys(model: type[Model]) -> "list[ForeignKey[Any, Any]]":
    return [field for field in model._meta.local_concrete_fields if isinstance(field, ForeignKey)]


def place_of(referred: Model, before: Sequence[Born]) -> int:
    for place, row in enumerate(before):
        if row is referred:
            return place
    raise ValueError("This refers to something that is not stored.")


@cache
def statement(provided: Update | None, shapes: tuple[Shape, ...]) -> "Together":
    return Together(provided, shapes)


class Together(Statement[None]):
    """Stores rows of these shapes, in this order."""

    def __init__(self, provided: Update | None, shapes: tuple[Shape, ...]) -> None:
        super().__init__(lambda: None)
        self.provided = provided
        self.shapes = shapes

    def compile(self, connection: BaseDatabaseWrapper, built: None) -> Run[None]:
        return self.at_once(connection) if connection.vendor == "postgresql" else self.one_by_one(connection)

    def at_once(self, connection: BaseDatabaseWrapper) -> Run[None]:
        """PostgreSQL does all parts of a WITH or none. It begins with what others refer to, and does the rest in the
        order in which the SELECT asks for it; what nobody asks for, in an order of its own.
        """
        parts: list[str] = []
        params: list[Any] = []
        if self.provided:
            sql, params = self.provided.as_sql(connection)
            parts.append(f'"changed" AS ({sql} RETURNING 1)')
        source = ' FROM "changed"' if self.provided else ""
        tables = [Table(connection, *shape) for shape in self.shapes]
        for place, table in enumerate(tables):
            parts.append(f'"row_{place}" AS ({table.sql}{source} RETURNING {table.pk} AS "id")')
        ids = [f'(SELECT "id" FROM "row_{place}")' for place in range(len(tables))]
        places = count(self.provided.parameters if self.provided else 0)
        params += [Parameter(next(places)) for table in tables for _ in table.fields]
        ask = asker(connection, f"WITH {', '.join(parts)} SELECT {', '.join(ids)}{source}", params)

        def run(values: Sequence[Any]) -> Later[None]:
            rows, conditions = values
            now, bound = timezone.now(), list(conditions)
            for table, row in zip(tables, rows, strict=True):
                bound += table.values(row, now)

            def heard(answer: Answer) -> None:
                found, _ = answer
                if not found:
                    raise NothingStored
                for row, pk in zip(rows, found[0], strict=True):
                    if is_instance(row):
                        bear(row, pk, connection)
                self.fill_in(rows)

            answer = ask(bound, heard)

            def wait() -> None:
                answer()

            return wait

        return run

    def one_by_one(self, connection: BaseDatabaseWrapper) -> Run[None]:
        tables = [
            Table(connection, model, None if names is None else (*names, *dict(references)), ())
            for model, names, references in self.shapes
        ]
        asks = [
            asker(connection, f"{table.sql} RETURNING {table.pk}", [*map(Parameter, range(len(table.fields)))])
            for table in tables
        ]

        def run(values: Sequence[Any]) -> Later[None]:
            rows, conditions = values
            if self.provided and not self.provided(*conditions):
                raise NothingStored
            now = timezone.now()
            for place, (table, ask, row) in enumerate(zip(tables, asks, rows, strict=True)):
                self.fill_in(rows[: place + 1])
                [[pk]], _ = ask(table.values(row, now))()
                if is_instance(row):
                    bear(row, pk, connection)
            return lambda: None

        return run

    def fill_in(self, rows: Sequence[Born]) -> None:
        """The ids that have come, where they are referred to."""
        for row, (_, _, references) in zip(rows, self.shapes, strict=False):
            for name, place in references:
                values = row.values if isinstance(row, New) else vars(row)
                values[name] = rows[place].pk  # type: ignore[union-attr] # only instances are referred to


class Table:
    """How rows of one shape go into their table."""

    def __init__(
        self, connection: BaseDatabaseWrapper, model: type[Model], names: tuple[str, ...] | None, references: References
    ) -> None:
        self.connection = connection
        self.plain = PLAIN_ON_POSTGRESQL if connection.vendor == "postgresql" else PLAIN
        concrete: list[Any] = [field for field in model._meta.local_concrete_fields if not isinstance(field, AutoField)]
        fields = {field.attname: field for field in concrete}
        referring = dict(references)
        self.of_instances = names is None
        self.names = [name for name in (fields if names is None else names) if name not in referring]
        others = [field for name, field in fields.items() if name not in self.names and name not in referring]
        stamped = [field for field in (concrete if self.of_instances else others) if sets_itself(field)]
        self.stamped = [field.attname for field in stamped]
        defaults = [field for field in others if field.has_default()]
        if changing := [field.attname for field in defaults if callable(field.default)]:
            raise TypeError(f"Of {model.__name__} these are to be named: {', '.join(changing)}.")
        self.defaults = [field.get_db_prep_save(field.get_default(), connection) for field in defaults]
        self.fields = [fields[name] for name in self.names] + ([] if self.of_instances else stamped) + defaults
        columns = [field.column for field in self.fields] + [fields[name].column for name in referring]
        values = ["%s"] * len(self.fields) + [f'(SELECT "id" FROM "row_{place}")' for place in referring.values()]
        quote = connection.ops.quote_name
        self.sql = (
            f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(map(quote, columns))}) SELECT {', '.join(values)}"
        )
        self.pk = quote(str(model._meta.pk.column))

    def values(self, row: Born, now: datetime) -> list[Any]:
        """In the order of the fields."""
        if isinstance(row, New):
            bound = [*row.values.values(), *[now] * len(self.stamped), *self.defaults]
        else:
            for name in self.stamped:
                setattr(row, name, now)
            bound = [getattr(row, name) for name in self.names]
        for place, value in enumerate(bound):
            if type(value) not in self.plain:
                bound[place] = self.fields[place].get_db_prep_save(value, self.connection)
        return bound


def sets_itself(field: Any) -> bool:
    """To the moment of its row's birth."""
    return getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)


def is_instance(row: Born) -> TypeGuard[Model]:
    return not isinstance(row, New)


def bear(instance: Model, pk: int, connection: BaseDatabaseWrapper) -> None:
    instance.pk = pk
    instance._state.adding, instance._state.db = False, connection.alias
