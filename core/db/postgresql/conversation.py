"""Compiled statements go to PostgreSQL in few turns: what can wait for its answer goes together with what cannot.

Each turn costs the service and the database a change of context, and on a small machine more processor than most of
these statements take. So a transaction's BEGIN goes with its first statement, what is only to be written goes with
what is asked next, and the last of it with the COMMIT. Every statement is prepared once, and then only named. This is
libpq's pipeline mode (https://www.postgresql.org/docs/current/libpq-pipeline-mode.html), by psycopg's wrapper of libpq.
"""

import hashlib
import select
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import psycopg
from psycopg import errors, pq
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.types.numeric import Int8Dumper

from core.db import Answer

SHARED = "A pooler gives this connection to others in between: set DATABASE_POOLER=true."
STALE = "cached plan must not change result type"

Key = tuple[bytes, tuple[int, ...]]  # a statement's text and the types of its values, as it is prepared
BEGIN: Key = (b"BEGIN", ())
COMMIT: Key = (b"COMMIT", ())
FATAL_ERROR, TUPLES_OK = pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.TUPLES_OK


class StalePlan(psycopg.OperationalError):
    """A migration has changed a table in the middle of a transaction, which had better start again."""

    sqlstate = "0A000"


class Question:
    """A statement that is asked with the next turn. Called, it gives its answer, and takes that turn if need be.

    `heard` is told the answer as soon as it is there, whether anybody calls for it or not.
    """

    __slots__ = ("answer", "conversation", "formats", "heard", "key", "values")

    def __init__(
        self, conversation: "Conversation", sql: bytes, values: Sequence[Any], heard: Callable[[Answer], None] | None
    ) -> None:
        transformer = conversation.transformer
        self.conversation = conversation
        self.values = transformer.dump_sequence(values, [PyFormat.AUTO] * len(values))
        self.formats = transformer.formats
        self.key: Key = (sql, transformer.types or ())
        self.answer: Answer | None = None
        self.heard = heard

    def __call__(self) -> Answer:
        if self in self.conversation.pending:
            self.conversation.turn()
        if self.answer is None:
            raise RuntimeError("This was refused, or rolled back before it was asked.")
        return self.answer


class Conversation:
    """Of one connection, which is closed when anything but a refusal by the database comes in between."""

    def __init__(
        self, connection: "psycopg.Connection[Any]", in_the_words_of_django: AbstractContextManager[None]
    ) -> None:
        self.connection = connection
        self.in_the_words_of_django = in_the_words_of_django
        self.adapters = AdaptersMap(connection.adapters)
        # One type for all whole numbers: psycopg's choice by size would prepare a statement for each size.
        self.adapters.register_dumper(int, Int8Dumper)
        self.transformer = Transformer(self)
        self.names: dict[Key, bytes] = {}
        self.generation = 0  # of the names, which the server keeps as long as the connection lives
        self.pending: list[Question] = []
        self.hearing = select.poll()
        self.hearing.register(connection.pgconn.socket, select.POLLIN)

    def ask(self, sql: bytes, values: Sequence[Any], heard: Callable[[Answer], None] | None = None) -> Question:
        with self.in_the_words_of_django:
            question = Question(self, sql, values, heard)
        self.pending.append(question)
        if self.connection.autocommit:
            self.turn()
        return question

    def turn(self, *, commit: bool = False) -> None:
        """Asks what is pending, and hears the answers. What follows a statement that is refused is not done."""
        questions, self.pending = self.pending, []
        with self.in_the_words_of_django:
            try:
                self.exchange(questions, commit=commit)
            except errors.FeatureNotSupported as error:
                if STALE not in str(error):
                    raise
                self.names.clear()
                self.generation += 1
                if not self.connection.autocommit:
                    raise StalePlan(*error.args) from error
                self.exchange(questions, commit=commit)
            except (errors.InvalidSqlStatementName, errors.DuplicatePreparedStatement) as error:
                self.names.clear()
                raise psycopg.OperationalError(SHARED) from error

    def exchange(self, questions: Sequence[Question], *, commit: bool) -> None:
        try:
            results, refusal = self.hear(self.say(questions, commit=commit))
        except BaseException:
            self.connection.close()  # nobody knows what is still on its way
            raise
        for question, result in results:
            answer = self.read(result)
            if question.heard:
                question.heard(answer)  # it may refuse the answer
            question.answer = answer
        if refusal:
            raise refusal

    def say(self, questions: Sequence[Question], *, commit: bool) -> list[Question | Key | None]:
        """Sends it all. Returns what the answers will be to: a question, a statement to prepare, or nothing of ours."""
        pgconn, told = self.connection.pgconn, list[Question | Key | None]()
        pgconn.enter_pipeline_mode()
        if not self.connection.autocommit and pgconn.transaction_status == pq.TransactionStatus.IDLE:
            pgconn.send_query_prepared(self.prepared(BEGIN, told), None)
            told.append(None)
        for question in questions:
            name = self.prepared(question.key, told)
            pgconn.send_query_prepared(name, question.values, question.formats, pq.Format.BINARY)
            told.append(question)
        if commit:
            pgconn.send_query_prepared(self.prepared(COMMIT, told), None)
            told.append(None)
        pgconn.pipeline_sync()
        while pgconn.flush():
            self.wait_until_there_is_room()
        return told

    def prepared(self, key: Key, told: list[Question | Key | None]) -> bytes:
        """The name of the statement, which is sent to be prepared if it is not yet."""
        name = self.names.get(key)
        if name is None:
            name = self.names[key] = self.name(key)
            self.connection.pgconn.send_prepare(name, *key)
            told.append(key)
        return name

    def name(self, key: Key) -> bytes:
        """By what it says: where connections are shared unbeknown to us, a name never stands for another statement."""
        return b"crm_" + hashlib.sha256(repr((self.generation, key)).encode()).hexdigest()[:32].encode()

    def hear(
        self, told: Sequence[Question | Key | None]
    ) -> tuple[list[tuple[Question, pq.abc.PGresult]], psycopg.Error | None]:
        """Takes the answers. Returns them, and what the database had against one of them, after which there is none."""
        results, refusal = list[tuple[Question, pq.abc.PGresult]](), None
        pgconn = self.connection.pgconn
        try:
            for asked in told:
                if pgconn.is_busy():
                    self.listen()
                result = pgconn.get_result()
                if result is None:
                    raise psycopg.OperationalError("The database has left an answer out.")
                if result.status == FATAL_ERROR:
                    refusal = refusal or errors.error_from_result(result)
                if refusal and isinstance(asked, tuple):
                    del self.names[asked]
                elif isinstance(asked, Question) and not refusal:
                    results.append((asked, result))
                if pgconn.is_busy():
                    self.listen()
                pgconn.get_result()  # the end of this answer
            if pgconn.is_busy():
                self.listen()
            pgconn.get_result()  # the end of the turn
            pgconn.exit_pipeline_mode()
        except psycopg.OperationalError as lost:
            raise refusal or lost from lost  # a server that hangs up may have said why
        return results, refusal

    def read(self, result: pq.abc.PGresult) -> Answer:
        if result.status != TUPLES_OK:
            return [], result.command_tuples or 0
        self.transformer.set_pgresult(result)
        rows = self.transformer.load_rows(0, result.ntuples, tuple)
        self.transformer.set_pgresult(None)  # which would keep the result in memory
        return rows, len(rows)

    def listen(self) -> None:
        """Until libpq has the next result."""
        pgconn = self.connection.pgconn
        while pgconn.is_busy():
            self.hearing.poll()
            pgconn.consume_input()

    def wait_until_there_is_room(self) -> None:
        """For more to be sent; meanwhile answers may come, and must be taken for the database to read on."""
        pgconn, both = self.connection.pgconn, select.poll()
        both.register(pgconn.socket, select.POLLIN | select.POLLOUT)
        for _, event in both.poll():
            if event & select.POLLIN:
                pgconn.consume_input()
