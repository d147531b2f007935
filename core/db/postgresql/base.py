import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg.types.numeric import Int8Dumper


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, tuned for connections that stay open and statements that are prepared once."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """One type for all whole numbers: by psycopg's choice, 7 and 70,000 would each prepare a statement."""
        connection = super().get_new_connection(conn_params)
        connection.adapters.register_dumper(int, Int8Dumper)
        return connection

    def is_usable(self) -> bool:
        """Asked before the first statement of each request. A server that has gone has said so or hung up, which makes
        a silent connection readable: only then Django's own question is worth a round trip."""
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0) or super().is_usable()
