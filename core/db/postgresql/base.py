import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import ClientCursor, Pipeline

from core.db.postgresql.conversation import Conversation


class DatabaseWrapper(base.DatabaseWrapper):
    conversation: Conversation | None = None

    def converse(self) -> Conversation | None:
        """The conversation of this connection; None if statements go one by one, through cursors.

        So they do while somebody watches them (DEBUG, tests that count), and where `can_converse` says no.
        """
        if self.conversation and self.conversation.pending:
            return self.conversation  # all this was looked at when the first of these was asked
        self.validate_no_broken_transaction()
        self.close_if_health_check_failed()
        self.ensure_connection()
        if self.queries_logged or self.execute_wrappers:
            return None
        if self.conversation is None and self.can_converse():
            with self.wrap_database_errors:
                self.conversation = Conversation(self.connection, self.wrap_database_errors)
        return self.conversation

    def can_converse(self) -> bool:
        """Not behind a pooler, with a libpq before 14, or where transactions begin in a way of their own.

        Nor where psycopg prepares statements: it clears all away at a rollback, and ours with its own.
        """
        is_alone = self.connection.prepare_threshold is not None and issubclass(
            self.connection.cursor_factory, ClientCursor
        )
        return is_alone and Pipeline.is_supported() and self.connection.isolation_level is None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self.conversation = None
        return super().get_new_connection(conn_params)

    def say_what_waits(self) -> None:
        if self.conversation and self.conversation.pending:
            self.conversation.turn()

    def forget_what_waits(self) -> None:
        if self.conversation:
            self.conversation.pending.clear()

    def _cursor(self, name: str | None = None) -> Any:
        self.say_what_waits()
        return super()._cursor(name)  # type: ignore[misc] # the stubs leave it out

    def _commit(self) -> None:
        if not (self.conversation and self.conversation.pending):
            super()._commit()  # type: ignore[misc]
            return
        try:
            self.conversation.turn(commit=True)
        finally:
            if self.connection.closed:
                self.close()  # Django goes on as if it were open after anything but an error of the database

    def _rollback(self) -> None:
        self.forget_what_waits()
        super()._rollback()  # type: ignore[misc]

    def _set_autocommit(self, autocommit: bool) -> None:
        if autocommit:
            self.say_what_waits()
        super()._set_autocommit(autocommit)  # type: ignore[misc]

    def _savepoint_rollback(self, sid: str) -> None:
        self.forget_what_waits()  # all of it came after the savepoint, which a cursor has made
        super()._savepoint_rollback(sid)  # type: ignore[misc]

    def _close(self) -> None:
        self.conversation = None
        super()._close()  # type: ignore[misc]

    def is_usable(self) -> bool:
        """Asked before the first statement of each request. A server that has gone has said so, or has hung up: then
        there is something to read on a connection that should be silent. Only then it is worth a question."""
        if self.connection is None or self.connection.closed:
            return False
        if self.conversation:
            hearing = self.conversation.hearing
        else:
            hearing = select.poll()
            hearing.register(self.connection.fileno(), select.POLLIN)
        return not hearing.poll(0) or super().is_usable()
