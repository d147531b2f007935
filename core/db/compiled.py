"""Querysets that are compiled once, and only given other values from then on.

Django takes about half a millisecond of processor to make SQL from a queryset, several times what running it takes.
What every registration asks is still defined by querysets, `select_for_update` and all: a function makes each of them
from parameters, and is called once for each connection, with placeholders. On PostgreSQL it is prepared, too.

Values are whole numbers and texts. Others, such as moments, would have to be told which column they are for, as
`sql.inserts` does.
"""

import inspect
import re
import threading
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Generic, Protocol, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, QuerySet
from django.db.models.query import ModelIterable, get_related_populators
from django.db.models.sql import UpdateQuery

from core.db import Answer
from core.db.postgresql.conversation import Conversation

Row = TypeVar("Row")
Result = TypeVar("Result")

Later = Callable[[], Result]
Run = Callable[[Sequence[Any]], Later[Result]]


class Parameter(Expression):
    """In a queryset, the place of a value that comes with each call."""

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        return "%s", [self]


class Statement(threading.local, Generic[Result]):
    """Each thread compiles for its own connection, whose settings stay the same as long as it lives.

    `build` takes as many parameters as a call brings values: as its signature says, or else `parameters`.
    """

    connection: BaseDatabaseWrapper | None = None
    run: Run[Result]

    def __init__(self, build: Callable[..., Any], *, parameters: int | None = None) -> None:
        self.build = build
        self.parameters = len(inspect.signature(build).parameters) if parameters is None else parameters

    def __call__(self, *values: Any) -> Result:
        return self.later(*values)()

    def later(self, *values: Any) -> Later[Result]:
        """Asks without waiting; call what is returned for the result.

        In a transaction on PostgreSQL the statement goes with the next one that is waited for, or with the commit, and
        that is where its errors are raised. The order of statements stays the same.
        """
        connection = connections[DEFAULT_DB_ALIAS]
        if self.connection is not connection:
            self.run = self.compile(connection, self.built())
            self.connection = connection
        return self.run(values)

    def built(self) -> Any:
        return self.build(*map(Parameter, range(self.parameters)))

    def compile(self, connection: BaseDatabaseWrapper, built: Any) -> Run[Result]:
        raise NotImplementedError


class Select(Statement[list[Row]], Generic[Row]):
    """The rows of a queryset, as it gives them: instances with what `select_related` brings, or tuples."""

    def compile(self, connection: BaseDatabaseWrapper, built: QuerySet[Any]) -> Run[list[Row]]:
        compiler: Any = built.query.get_compiler(connection=connection)
        ask = asker(connection, *compiler.as_sql())
        converters = compiler.get_converters([column[0] for column in compiler.select[: compiler.col_count]])
        read: Any = reader(compiler) if built._iterable_class is ModelIterable else tuple

        def run(values: Sequence[Any]) -> Later[list[Row]]:
            answer = ask(values)

            def rows() -> list[Row]:
                found, _ = answer()
                return list(map(read, compiler.apply_converters(found, converters) if converters else found))

            return rows

        return run


class Exists(Statement[bool]):
    """Whether a queryset has any row."""

    def compile(self, connection: BaseDatabaseWrapper, built: QuerySet[Any]) -> Run[bool]:
        ask = asker(connection, *built.query.exists().get_compiler(connection=connection).as_sql())

        def run(values: Sequence[Any]) -> Later[bool]:
            answer = ask(values)
            return lambda: bool(answer()[0])

        return run


class Update(Statement[int]):
    """Changes the rows of a queryset; `build` gives it and the fields to set. Returns how many there were."""

    def compile(self, connection: BaseDatabaseWrapper, built: tuple[QuerySet[Any], dict[str, Any]]) -> Run[int]:
        ask = asker(connection, *update_sql(connection, *built))

        def run(values: Sequence[Any]) -> Later[int]:
            answer = ask(values)
            return lambda: answer()[1]

        return run

    def as_sql(self, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        """For a statement of which it becomes a part; a Parameter among the values is still to be bound."""
        return update_sql(connection, *self.built())


def update_sql(connection: BaseDatabaseWrapper, rows: QuerySet[Any], fields: dict[str, Any]) -> tuple[str, list[Any]]:
    query: Any = rows.query.chain(UpdateQuery)
    query.add_update_values(fields)
    sql, params = query.get_compiler(connection=connection).as_sql()
    return sql, list(params)


class Ask(Protocol):
    def __call__(self, values: Sequence[Any], heard: Callable[[Answer], None] | None = None) -> Later[Answer]:
        """Asks with these values for the parameters. `heard` is told the answer as soon as it is there."""


def asker(connection: BaseDatabaseWrapper, sql: str, params: Sequence[Any]) -> Ask:
    """On PostgreSQL in a `Conversation`, elsewhere each statement at once."""
    converse: Callable[[], Conversation | None] = getattr(connection, "converse", lambda: None)
    numbers, places = count(1), [param.place if isinstance(param, Parameter) else None for param in params]
    is_as_given = places == list(range(len(params)))
    numbered = re.sub("%[s%]", lambda place: f"${next(numbers)}" if place[0] == "%s" else "%", sql).encode()

    def ask(values: Sequence[Any], heard: Callable[[Answer], None] | None = None) -> Later[Answer]:
        bound = values
        if not is_as_given:
            bound = [values[param.place] if type(param) is Parameter else param for param in params]
        if conversation := converse():
            return conversation.ask(numbered, bound, heard)
        with connection.cursor() as cursor:
            cursor.execute(sql, bound)
            answer = (cursor.fetchall() if cursor.description else []), cursor.rowcount
        if heard:
            heard(answer)
        return lambda: answer

    return ask


def reader(compiler: Any) -> Callable[[Sequence[Any]], Any]:
    """Makes instances of rows, as django.db.models.query.ModelIterable does."""
    model, using = compiler.klass_info["model"], compiler.connection.alias
    places = compiler.klass_info["select_fields"]
    first, end = places[0], places[-1] + 1
    names = [column[0].target.attname for column in compiler.select[first:end]]
    populators = get_related_populators(compiler.klass_info, compiler.select, using)  # type: ignore[call-arg] # of Django 6

    def read(row: Sequence[Any]) -> Any:
        instance = model.from_db(using, names, row[first:end])
        for populator in populators:
            populator.populate(row, instance)
        return instance

    return read
