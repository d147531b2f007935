"""Querysets that are compiled to SQL once, and only get other values from then on.

Django takes about half a millisecond of processor to make SQL from a queryset, several times what running it takes.
The statements of busy paths are therefore built once, from querysets with a `Parameter` where a value will come, and
run through Django's cursor like any other; psycopg prepares them on the server.

Django has no public way to run the SQL of a queryset with other values. What is used instead, as of Django 5.2 and
6.1: `query.get_compiler()`, `as_sql()`, `select`, `get_converters()`, `apply_converters()`, and `sql.UpdateQuery`.
tests/core/db/test_compiled.py compares with the queryset itself, and fails first when they change.
"""

import inspect
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Expression, Model
from django.db.models.sql import UpdateQuery

Row = TypeVar("Row")
Instance = TypeVar("Instance", bound=Model)
Sql = tuple[str, list[Any]]  # the parameters are values, or each a Parameter still to be bound


class Parameter(Expression):
    """In a queryset, the place of a value that comes with each call: a whole number, a text, or None.

    Other values come as the database wants them (see `Field.get_db_prep_value`).
    """

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return "%s", [self]


class Statement:
    """`build` makes the queryset, from as many parameters as its signature has, or as `parameters` says."""

    def __init__(self, build: Callable[..., Any], *, parameters: int | None = None) -> None:
        self.build = build
        self.parameters = len(inspect.signature(build).parameters) if parameters is None else parameters
        self.sql = ""  # empty until the first call: there are no models before
        self.params: list[Any] = []

    def compile(self) -> Sql:
        raise NotImplementedError

    def prepare(self) -> None:
        if not self.sql:
            self.sql, self.params = self.compile()

    def built(self) -> Any:
        return self.build(*map(Parameter, range(self.parameters)))


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
        self.prepare()
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(self.sql, bind(self.params, values))
            return self.read(cursor.fetchall())

    def read(self, rows: Sequence[Any]) -> list[Row]:
        return [tuple(row) for row in self.convert(rows, self.converters)] if self.converters else list(rows)  # type: ignore[misc]


class Exists(Statement):
    """Whether a queryset has any row."""

    def compile(self) -> Sql:
        sql, params = self.built().query.exists().get_compiler(connection=connection).as_sql()
        return sql, list(params)

    def __call__(self, *values: Any) -> bool:
        self.prepare()
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(self.sql, bind(self.params, values))
            return cursor.fetchone() is not None


class Update(Statement):
    """Changes the rows of a queryset; `build` gives it and the fields to set. Returns how many there were."""

    def compile(self) -> Sql:
        rows, fields = self.built()
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(fields)
        sql, params = query.get_compiler(connection=connection).as_sql()
        return sql, list(params)

    def __call__(self, *values: Any) -> int:
        self.prepare()
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(self.sql, bind(self.params, values))
            changed: int = cursor.rowcount
            return changed


def bind(params: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    return [values[param.place] if type(param) is Parameter else param for param in params]


def instances(model: type[Instance], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Instance]:
    """Rows of these columns (attribute names, the primary key among them) as instances; other fields are deferred."""
    ordered = [field.attname for field in model._meta.concrete_fields if field.attname in names]
    if ordered != list(names):
        raise TypeError(f"The columns of {model.__name__} must come in the order of its fields.")
    return [model.from_db(DEFAULT_DB_ALIAS, names, row) for row in rows]


def select_together(*asked: tuple[Select[Any], Sequence[Any]]) -> list[list[Any]]:
    """The rows of several statements, each with its values; on PostgreSQL in one round trip.

    There they become the parts of one WITH, in this order and of one snapshot; their columns stand side by side, those
    of the others being NULL. SQLite, which is in the same process, runs one after the other.
    """
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "postgresql":
        return [select(*values) for select, values in asked]
    for select, _ in asked:
        select.prepare()
    with database.cursor() as cursor:
        cursor.execute(
            sql_together([select for select, _ in asked]),
            list(chain.from_iterable(bind(select.params, values) for select, values in asked)),
        )
        found = cursor.fetchall()
    rows: list[list[Any]] = [[] for _ in asked]
    starts = [1]
    for select, _ in asked:
        starts.append(starts[-1] + select.width)
    for row in found:
        part = row[0]
        rows[part].append(row[starts[part] : starts[part + 1]])
    return [select.read(part) for (select, _), part in zip(asked, rows, strict=True)]


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
