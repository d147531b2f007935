"""New rows by SQL that is compiled once, also rows that refer to one whose id is still to come (ADR 0023)."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import AutoField, Expression, ForeignKey, Model
from django.db.models.sql import InsertQuery

from sql import Answer
from sql.compiled import Later, Parameter, Run, Statement, asker
from sql.postgresql.conversation import Conversation

Instance = TypeVar("Instance", bound=Model)

PLAIN = (NoneType, bool, int, float, str)  # what goes to the database as it is, whatever the field
FEW = 3  # instances that are stored one by one rather than by a statement of their own


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
