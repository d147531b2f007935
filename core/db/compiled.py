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
from django.db.models.sql import DeleteQuery, UpdateQuery

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
        sql, self.params = with_literal_numbers(*self.compile())
        places = [param.place if isinstance(param, Parameter) else None for param in self.params]
        self.takes_values_as_given = places == list(range(self.parameters))
        self.sql = sql

    def built(self) -> Any:
        return self.build(*map(Parameter, range(self.parameters)))

    def bind(self, values: Sequence[Any]) -> Sequence[Any]:
        if self.takes_values_as_given:
            return values
        return [values[param.place] if type(param) is Parameter else param for param in self.params]

    def run(self, values: Sequence[Any]) -> Any:
        """Returns a cursor with the result: see `run_statement`."""
        if not self.sql:
            self.prepare()
        return run_statement(self.sql, self.bind(values))


def run_statement(sql: str, values: Sequence[Any]) -> Any:
    """Runs one of a limited number of statements. Returns a cursor with the result, to be read before the next call."""
    database: Any = connections[DEFAULT_DB_ALIAS]
    cursor = database.cursor_of(sql) if database.vendor == "postgresql" else database.cursor()
    cursor.execute(sql, values)
    return cursor


def with_literal_numbers(sql: str, params: list[Any]) -> Sql:
    """Writes the numbers that are the same at each call into the SQL: psycopg converts a statement with more than 50
    parameters again each time (`psycopg._queries.MAX_CACHED_STATEMENT_PARAMS` in 3.3)."""
    first, *others = sql.split("%s")
    if len(others) != len(params):
        return sql, params
    kept: list[Any] = []
    for place, param in enumerate(params):
        if isinstance(param, int) and not isinstance(param, bool):
            others[place] = f"{int(param)}{others[place]}"
        else:
            kept.append(param)
            others[place] = f"%s{others[place]}"
    return "".join([first, *others]), kept


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
        rows: list[Row] = self.run(values).fetchall()
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
        return self.run(values).fetchone() is not None


class Update(Statement):
    """Updates the rows of a queryset; `build` returns it and the fields to set. The call returns the number of rows."""

    def compile(self) -> Sql:
        rows, fields = self.built()
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(fields)
        sql, params = query.get_compiler(connection=connection).as_sql()
        return sql, list(params)

    def __call__(self, *values: Any) -> int:
        changed: int = self.run(values).rowcount
        return changed

    def run_many(self, several: Sequence[Sequence[Any]]) -> None:
        """Runs it once for each of these values, in their order; on PostgreSQL in one round trip for all."""
        if not several:
            return
        if not self.sql:
            self.prepare()
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.executemany(self.sql, [self.bind(values) for values in several])


class Delete(Update):
    """Deletes the rows of a queryset of one table. Can stand in a `Change` like an update."""

    def compile(self) -> Sql:
        sql, params = self.built().query.chain(DeleteQuery).get_compiler(connection=connection).as_sql()
        return sql, list(params)


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


# By the identities of the statements, which live as long as the process.
TOGETHER: dict[tuple[int, ...], tuple[str, list[slice]]] = {}


def select_together(*asked: tuple[Select[Any], Sequence[Any]]) -> list[list[Any]]:
    """The rows of several statements, each with its values; on PostgreSQL in one round trip.

    There they become the parts of one WITH, in this order and in one snapshot; each row has the columns of all parts,
    NULL for the other parts. SQLite, which is in the same process, runs them one after another.
    """
    if connections[DEFAULT_DB_ALIAS].vendor != "postgresql":
        return [select(*values) for select, values in asked]
    selects = [select for select, _ in asked]
    for select in selects:
        if not select.sql:
            select.prepare()
    values = [value for select, given in asked for value in select.bind(given)]
    key = tuple(map(id, selects))
    if key not in TOGETHER:
        TOGETHER[key] = sql_together(selects), spans(selects)
    sql, places = TOGETHER[key]
    rows: list[list[Any]] = [[] for _ in asked]
    for row in run_statement(sql, values).fetchall():
        rows[row[0]].append(row[places[row[0]]])
    return [select.converted(part) if select.converters else part for select, part in zip(selects, rows, strict=True)]


def spans(selects: Sequence[Select[Any]]) -> list[slice]:
    """The positions of each statement's columns in a row, after the number of the part."""
    ends = list(accumulate((select.width for select in selects), initial=1))
    return list(starmap(slice, pairwise(ends)))


def sql_together(selects: Sequence[Select[Any]]) -> str:
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
    return f"WITH {', '.join(parts)} {' UNION ALL '.join(rows)}"


def columns_of(select: Select[Any]) -> list[str]:
    return [f'"c{number}"' for number in range(select.width)]
