"""Querysets that are compiled to SQL once and then run with different values.

Django needs about half a millisecond of CPU to make SQL from a queryset, several times what running it takes.
The statements of busy paths are therefore built once, from querysets with a `Parameter` in place of each value, and
run through Django's cursor like any other; psycopg prepares them on the server.

Django has no public way to run the SQL of a queryset with other values. Used instead, as of Django 5.2 and
6.1: `query.get_compiler()`, `as_sql()`, `select`, `get_converters()`, `apply_converters()`, and `sql.UpdateQuery`.
tests/core/db/test_compiled.py compares the results with those of the queryset, and fails first when they change.
"""

import inspect
from collections.abc import Callable, Sequence
from itertools import accumulate, chain, pairwise, starmap
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Expression, Model
from django.db.models.sql import UpdateQuery

Row = TypeVar("Row")
Instance = TypeVar("Instance", bound=Model)
Sql = tuple[str, list[Any]]  # the parameters are values, or each a Parameter still to be bound


class Parameter(Expression):
    """In a queryset, the placeholder of a value given at each call: an integer, a string, or None.

    Values of other types must be prepared for the database (see `Field.get_db_prep_value`).
    """

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


class Statement:
    """Compiled at first use. `build` makes the queryset from `parameters` parameters, by default those it declares."""

    def __init__(self, build: Callable[..., Any], *, parameters: int | None = None) -> None:
        self.build = build
        self.parameters = len(inspect.signature(build).parameters) if parameters is None else parameters
        self.sql = ""  # empty until the first use, because models are not loaded before
        self.params: list[Any] = []
        self.takes_values_as_given = False

    def compile(self) -> Sql:
        raise NotImplementedError

    def prepare(self) -> None:
        """Compiles the statement. Call it before using `sql` and `bind`, while `sql` is empty."""
        sql, self.params = self.compile()
        places = [param.place if isinstance(param, Parameter) else None for param in self.params]
        self.takes_values_as_given = places == list(range(self.parameters))
        self.sql = sql

    def built(self) -> Any:
        return self.build(*map(Parameter, range(self.parameters)))

    def bind(self, values: Sequence[Any]) -> Sequence[Any]:
        if self.takes_values_as_given:
            return values
        return [values[param.place] if type(param) is Parameter else param for param in self.params]

    def execute(self, cursor: Any, values: Sequence[Any]) -> None:
        if not self.sql:
            self.prepare()
        cursor.execute(self.sql, self.bind(values))


class Select(Statement, Generic[Row]):
    """The rows of a `values_list` queryset, as tuples."""

    width = 0
    converters: dict[int, Any]

    def compile(self) -> Sql:
        compiler: Any = self.built().query.get_compiler(connection=connection)
        sql, params = compiler.as_sql()
        columns = [column[0] for column in compiler.select[: compiler.col_count]]
        self.width, self.converters = len(columns), compiler.get_converters(columns)
        self.convert = compiler.apply_converters
        return sql, list(params)

    def __call__(self, *values: Any) -> list[Row]:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            self.execute(cursor, values)
            rows: list[Row] = cursor.fetchall()
        return self.converted(rows) if self.converters else rows

    def converted(self, rows: Sequence[Any]) -> list[Any]:
        """Converts values of types that the database lacks: SQLite has neither datetimes nor booleans."""
        return [tuple(row) for row in self.convert(rows, self.converters)]


class Exists(Statement):
    """Whether a queryset has any row."""

    def compile(self) -> Sql:
        sql, params = self.built().query.exists().get_compiler(connection=connection).as_sql()
        return sql, list(params)

    def __call__(self, *values: Any) -> bool:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            self.execute(cursor, values)
            return cursor.fetchone() is not None


class Update(Statement):
    """Updates the rows of a queryset; `build` returns it and the fields to set. The call returns the number of rows."""

    def compile(self) -> Sql:
        rows, fields = self.built()
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(fields)
        sql, params = query.get_compiler(connection=connection).as_sql()
        return sql, list(params)

    def __call__(self, *values: Any) -> int:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            self.execute(cursor, values)
            changed: int = cursor.rowcount
            return changed


class Columns(Generic[Instance]):
    """Columns of a model, by their attribute names, whose values become instances; other fields are deferred.

    They must name the primary key, and come in the order of the model's fields.
    """

    def __init__(self, model: type[Instance], names: Sequence[str] | None = None) -> None:
        every = [field.attname for field in model._meta.concrete_fields]
        self.model, self.names = model, tuple(every if names is None else names)
        if [name for name in every if name in self.names] != list(self.names):
            raise TypeError(f"The columns of {model.__name__} must come in the order of its fields.")

    def instances(self, rows: Sequence[Sequence[Any]]) -> list[Instance]:
        return [self.model.from_db(DEFAULT_DB_ALIAS, self.names, row) for row in rows]


def select_together(*asked: tuple[Select[Any], Sequence[Any]]) -> list[list[Any]]:
    """The rows of several statements, each with its values; on PostgreSQL in one round trip.

    There they become the parts of one WITH, in this order and in one snapshot; each row has the columns of all parts,
    NULL for the other parts. SQLite, which is in the same process, runs them one after another.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "postgresql":
        return [select(*values) for select, values in asked]
    selects = [select for select, _ in asked]
    for select in selects:
        if not select.sql:
            select.prepare()
    values = [value for select, given in asked for value in select.bind(given)]
    with database.cursor() as cursor:
        cursor.execute(sql_together(selects), values)
        found = cursor.fetchall()
    rows: list[list[Any]] = [[] for _ in asked]
    places = spans(selects)
    for row in found:
        rows[row[0]].append(row[places[row[0]]])
    return [select.converted(part) if select.converters else part for select, part in zip(selects, rows, strict=True)]


def spans(selects: Sequence[Select[Any]]) -> list[slice]:
    """The positions of each statement's columns in a row, after the number of the part."""
    ends = list(accumulate((select.width for select in selects), initial=1))
    return list(starmap(slice, pairwise(ends)))


SQL_TOGETHER: dict[tuple[int, ...], str] = {}  # by the identities of the statements, which live as long as the process


def sql_together(selects: Sequence[Select[Any]]) -> str:
    key = tuple(map(id, selects))
    if key not in SQL_TOGETHER:
        parts = [
            f'"part_{place}" ({", ".join(columns_of(select))}) AS MATERIALIZED ({select.sql})'
            for place, select in enumerate(selects)
        ]
        # The first row source gives all columns their types, also those that are always NULL there.
        types = "".join(f' LEFT JOIN "part_{place}" ON FALSE' for place in range(1, len(selects)))
        every = ", ".join(f'"part_{place}".*' for place in range(len(selects)))
        rows = [f'SELECT 0, {every} FROM "part_0"{types}']
        for place, select in enumerate(selects[1:], start=1):
            nulls = [["NULL"] * other.width if other is not select else columns_of(select) for other in selects]
            rows.append(f'SELECT {place}, {", ".join(chain.from_iterable(nulls))} FROM "part_{place}"')
        SQL_TOGETHER[key] = f"WITH {', '.join(parts)} {' UNION ALL '.join(rows)}"
    return SQL_TOGETHER[key]


def columns_of(select: Select[Any]) -> list[str]:
    return [f'"c{number}"' for number in range(select.width)]
