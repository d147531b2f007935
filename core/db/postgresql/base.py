import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import errors, pq
from psycopg.types.numeric import Int8Dumper


class Cursor(base.ServerBindingCursor):
    connection: Any

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Prepares a statement again after a migration has changed the types of its columns.

        Inside a transaction the database has ended that one, and `core.retry` starts it again.
        """
        try:
            return super().execute(query, params, **options)  # type: ignore[misc] # the stubs leave it out
        except errors.FeatureNotSupported:
            if self.connection.info.transaction_status != pq.TransactionStatus.IDLE:
                raise
            self.connection.execute("DEALLOCATE ALL", prepare=False)
            return super().execute(query, params, **options)  # type: ignore[misc] # the stubs leave it out


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's backend, tuned for persistent connections and prepared statements."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Sends all integers as one type: by default psycopg would prepare one statement for 7, another for 70,000."""
        connection = super().get_new_connection(conn_params)
        connection.adapters.register_dumper(int, Int8Dumper)
        if connection.cursor_factory is base.ServerBindingCursor:
            connection.cursor_factory = Cursor
        return connection

    def is_usable(self) -> bool:
        """Called before the first statement of each request. A server that has closed the connection makes an idle
        socket readable: only then is Django's own check worth a round trip."""
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0) or super().is_usable()
