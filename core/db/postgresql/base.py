import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg.types.numeric import Int8Dumper


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's backend, tuned for persistent connections and prepared statements."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Sends all integers as one type: by default psycopg would prepare one statement for 7, another for 70,000."""
        connection = super().get_new_connection(conn_params)
        connection.adapters.register_dumper(int, Int8Dumper)
        return connection

    def is_usable(self) -> bool:
        """Called before the first statement of each request. A server that has closed the connection makes an idle
        socket readable: only then is Django's own check worth a round trip."""
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0) or super().is_usable()
