"""Querysets that are compiled once, and only given other values from then on.

Django takes about half a millisecond of processor to make SQL from a queryset, several times what running it takes.
What every registration asks is still defined by querysets, `select_for_update` and all: a function makes each of them
from parameters, and is called once for each connection, with placeholders. On PostgreSQL it is prepared, too.

Values are whole numbers and texts. Others, such as moments, would have to be told which column they are for.
"""

import inspect
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from types import NoneType
from typing import Any, Generic, Protocol, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, Expression, ForeignKey, Model, QuerySet
from django.db.models.query import ModelIterable, get_related_populators
from django.db.models.sql import InsertQuery, UpdateQuery

from sql import Answer
from sql.postgresql.conversation import Conversation

Row = TypeVar("Row")
Result = TypeVar("Result")
Instance = TypeVar("Instance", bound=Model)

Later = Callable[[], Result]
Run = Callable[[Sequence[Any]], Later[Result]]

PLAIN = (NoneType, bool, int, float, str)  # what goes to the database as it is, whatever the field
FEW = 3  # instances that are stored one by one rather than by a statement of their own


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
            self.run = self.compile(connection, self.build(*map(Parameter, range(self.parameters))))
            self.connection = connection
        return self.run(values)

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
        rows, fields = built
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values(fields)
        ask = asker(connection, *query.get_compiler(connection=connection).as_sql())

        def run(values: Sequence[Any]) -> Later[int]:
            answer = ask(values)
            return lambda: answer()[1]

        return run


class Insert(Generic[Instance]):
    """Stores new instances as `bulk_create` does, and sets their ids; a few, the usual case, by compiled SQL.

    An instance may refer to one that is stored `later` and has no id yet, if it is the last of its model: the database
    then takes the id that it has given to that one.
    """

    def __init__(self, model: type[Instance]) -> None:
        self.model = model
        self.references = [field for field in model._meta.local_concrete_fields if isinstance(field, ForeignKey)]
        self.statements: dict[tuple[str, ...], InsertOne[Instance]] = {}

    def __call__(self, *instances: Instance) -> None:
        self.later(*instances)()

    def later(self, *instances: Instance) -> Later[None]:
        """As `Statement.later`; the ids are there as soon as the database has answered, whoever asked for that."""
        if len(instances) > FEW:
            with connections[DEFAULT_DB_ALIAS].cursor():  # before it there is what waits, with its ids
                self.model._default_manager.bulk_create(instances)
            return lambda: None
        answers = [self.statement(self.ids_to_come(instance)).later(instance) for instance in instances]

        def wait() -> None:
            for answer in answers:
                answer()

        return wait

    def statement(self, ids_to_come: tuple[str, ...]) -> "InsertOne[Instance]":
        if ids_to_come not in self.statements:
            self.statements[ids_to_come] = InsertOne(self.model, ids_to_come)
        return self.statements[ids_to_come]

    def ids_to_come(self, instance: Instance) -> tuple[str, ...]:
        """The fields that refer to what has no id yet. Ids that have come since are filled in."""
        return tuple(field.attname for field in self.references if self.is_to_come(instance, field))

    def is_to_come(self, instance: Instance, field: "ForeignKey[Any, Any]") -> bool:
        if getattr(instance, field.attname) is not None or not field.is_cached(instance):
            return False
        referred = field.get_cached_value(instance)
        if referred is None:
            return False
        if referred.pk is None and not is_stored_next(referred):
            raise ValueError(f"This refers to a {referred._meta.verbose_name} that is not stored.")
        setattr(instance, field.attname, referred.pk)
        return referred.pk is None


def is_stored_next(instance: Model) -> bool:
    """Whether this waits to be stored. Only of the last one of a model the id can be referred to before it is known:
    others are stored at once.
    """
    conversation: Conversation | None = getattr(connections[DEFAULT_DB_ALIAS], "conversation", None)
    questions = conversation.pending if conversation else []
    births = [(question, question.heard.instance) for question in questions if isinstance(question.heard, Birth)]
    alike = [(question, other) for question, other in births if type(other) is type(instance)]
    if all(other is not instance for _, other in alike):
        return False
    last_question, last = alike[-1]
    if last is not instance:
        last_question()
    return True


class LastId(Expression):
    """The id that this connection has given last to a row of the model. PostgreSQL only."""

    def __init__(self, model: type[Model]) -> None:
        super().__init__()
        self.model = model

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> Any:
        table, column = self.model._meta.db_table, self.model._meta.pk.column
        return f"currval(pg_get_serial_sequence('{connection.ops.quote_name(table)}', '{column}'))", []


class InsertOne(Statement[None], Generic[Instance]):
    def __init__(self, model: type[Instance], ids_to_come: tuple[str, ...]) -> None:
        super().__init__(model, parameters=0)
        self.ids_to_come = ids_to_come

    def compile(self, connection: BaseDatabaseWrapper, built: Instance) -> Run[None]:
        query, meta = InsertQuery(type(built)), built._meta
        fields: list[Any] = [field for field in meta.local_concrete_fields if not isinstance(field, AutoField)]
        for field in fields:
            if field.attname in self.ids_to_come:
                setattr(built, field.attname, LastId(field.related_model))
        query.insert_values(fields, [built])
        compiler: Any = query.get_compiler(connection=connection)
        compiler.returning_fields = returned = meta.db_returning_fields
        [(sql, _)] = compiler.as_sql()
        fields = [field for field in fields if field.attname not in self.ids_to_come]
        ask = asker(connection, sql, [Parameter(place) for place in range(len(fields))])

        def run(values: Sequence[Instance]) -> Later[None]:
            [instance] = values
            given = [(field, field.pre_save(instance, True)) for field in fields]
            bound = [
                value if type(value) in PLAIN else field.get_db_prep_save(value, connection) for field, value in given
            ]
            answer = ask(bound, Birth(instance, returned, connection.alias))

            def wait() -> None:
                answer()

            return wait

        return run


@dataclass(frozen=True, slots=True)
class Birth:
    """Hears of an instance that it is stored, and fills in what the database has given it."""

    instance: Model
    returned: Sequence[Any]
    alias: str

    def __call__(self, answer: Answer) -> None:
        [row], _ = answer
        for field, value in zip(self.returned, row, strict=True):
            setattr(self.instance, field.attname, value)
        self.instance._state.adding, self.instance._state.db = False, self.alias


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
