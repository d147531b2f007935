import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base, operations
from django.db.backends.utils import CursorWrapper
from psycopg.types.numeric import Int8Dumper

SHARED = "A pooler gives this connection to others in between: set DATABASE_POOLER=true."
STALE = "cached plan must not change result type"


class StalePlan(psycopg.OperationalError):
    """A migration has changed a table in the middle of a transaction, which had better start again."""

    sqlstate = "0A000"


class PreparedCursor(psycopg.Cursor[Any]):
    """Sends each statement to the server once; afterwards only its name and the values.

    Behind a pooler (`prepare_threshold` None) psycopg prepares nothing, and sends both each time.
    """

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        super().__init__(connection)
        # One type for all whole numbers: psycopg's choice by size would prepare a statement for each size.
        self.adapters.register_dumper(int, Int8Dumper)

    def execute(self, query: Any, params: Any = None, **options: Any) -> "PreparedCursor":
        try:
            return super().execute(query, params, prepare=True)
        except (psycopg.errors.InvalidSqlStatementName, psycopg.errors.DuplicatePreparedStatement) as error:
            raise psycopg.OperationalError(SHARED) from error
        except psycopg.errors.FeatureNotSupported as error:
            if STALE not in str(error):
                raise
            if self.connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                raise StalePlan(*error.args) from error  # psycopg forgets what it has prepared when this is rolled back
            self.connection.execute("DEALLOCATE ALL")
            return super().execute(query, params, prepare=True)


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> Any:
        """For the log of statements: with the values in it, as if it had not been prepared."""
        if isinstance(cursor, PreparedCursor):
            return self.compose_sql(sql, params)
        return super().last_executed_query(cursor, sql, params)


class DatabaseWrapper(base.DatabaseWrapper):
    ops_class = DatabaseOperations
    prepared: PreparedCursor | None = None

    def prepared_cursor(self) -> CursorWrapper:
        """One for all statements of this connection: the result of each must be fetched before the next."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        if self.prepared is None or self.prepared.connection is not self.connection:
            self.prepared = PreparedCursor(self.connection)
        return self._prepare_cursor(self.prepared)  # type: ignore[attr-defined,no-any-return] # the stubs leave it out

    def is_usable(self) -> bool:
        """Asked before the first statement of each request. A server that has gone has said so, or has hung up: then
        there is something to read on a connection that should be silent. Only then it is worth a question."""
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0) or super().is_usable()
