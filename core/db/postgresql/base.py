import select
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.postgresql import base
from django.db.models import ForeignKey, IntegerField
from django.db.models.lookups import In
from psycopg import Error, OperationalError, errors, pq
from psycopg import ServerCursor as PsycopgServerCursor
from psycopg.types.numeric import Int8Dumper

from core.db import faults
from core.db.postgresql import several
from core.db.postgresql.commit_watch import watch
from core.ids import LARGEST

USUAL_COMMIT = 2  # seconds: longer than one that is confirmed takes
# A role sees what its own sessions wait for without further rights.
WAITING_COMMITS = (
    "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'SyncRep' "
    "AND clock_timestamp() - query_start > make_interval(secs => %s))"
)


class Cursor(base.ServerBindingCursor):
    connection: Any

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        """Prepares a statement again after a migration has changed the types of its columns.

        Inside a transaction the database has ended that one, and `core.retry` starts it again. Closes a connection that
        answers, but will go on failing, such as one to a primary that has become a standby.
        """
        try:
            return super().execute(query, params, **options)  # type: ignore[misc] # the stubs leave it out
        except errors.FeatureNotSupported:
            if self.connection.info.transaction_status != pq.TransactionStatus.IDLE:
                raise
            self.connection.execute("DEALLOCATE ALL", prepare=False)
            return super().execute(query, params, **options)  # type: ignore[misc] # the stubs leave it out
        except Error as error:
            if faults.spoils_connection(error):
                self.connection.close()
            raise


class ServerCursor(PsycopgServerCursor[Any]):
    """The one of `iterator()`."""

    def close(self) -> None:
        """If the connection is lost, nothing is left to close: the rows that were read are whole, and the next
        statement fails. An error of `close` would hide that of the statement, and Django does not translate it, so
        that nobody would know it for a fault of the database."""
        try:
            super().close()
        except OperationalError:
            if not self.connection.broken:
                raise
            super().close()  # which sends nothing on a connection that is lost


@IntegerField.register_lookup
class InRange(In):
    """`pk__in` without ids beyond 64 bits, as Django leaves them out of `pk=`: no row has them, and a bigint of them
    would be an error. Addresses of pages may have any."""

    def get_prep_lookup(self) -> Any:
        values = super().get_prep_lookup()
        return [value for value in values if is_storable(value)] if isinstance(values, list) else values


RelatedExact: Any = ForeignKey.get_lookups()["exact"]  # type: ignore[call-arg] # of the class


@ForeignKey.register_lookup
class RelatedInRange(RelatedExact):  # type: ignore[misc] # Django has no public name for it
    """Likewise for `source=`."""

    def process_rhs(self, compiler: Any, connection: Any) -> Any:
        if not is_storable(self.rhs):
            raise EmptyResultSet
        return super().process_rhs(compiler, connection)


def is_storable(value: Any) -> bool:
    return not isinstance(value, int) or -LARGEST <= value <= LARGEST


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's backend, tuned for persistent connections and prepared statements."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.given_up = 0  # commits of the process when this connection was made
        self.cursors: dict[str, Any] = {}  # of this connection, by the statement that each of them runs

    def cursor_of(self, sql: str) -> Any:
        """A cursor that runs only this statement, and always from the same string.

        psycopg then keeps how values and rows of the statement are converted, and nothing is made for each call: that
        is a third of what the service spends on a simple statement. The cursor holds its last result in memory.
        """
        if self.queries_logged:
            return self.cursor()
        self.close_if_health_check_failed()
        self.ensure_connection()
        if sql not in self.cursors:
            self.cursors[sql] = self.cursor()
        return self.cursors[sql]

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Sends all integers as one type: by default psycopg would prepare one statement for 7, another for 70,000."""
        self.cursors = {}
        self.given_up = watch.given_up
        make = super().get_new_connection
        is_choice = several.is_choice(conn_params)
        connection = several.connect_to_primary(make, conn_params) if is_choice else make(conn_params)
        connection.adapters.register_dumper(int, Int8Dumper)
        if connection.cursor_factory is base.ServerBindingCursor:
            connection.cursor_factory = Cursor
        connection.server_cursor_factory = ServerCursor
        return connection

    def commit(self) -> None:
        """Does not wait longer than COMMIT_TIMEOUT (`crm_router.databases.limit_request_time`). What is given up then
        may have been committed, as with any lost connection."""
        seconds = self.settings_dict.get("COMMIT_TIMEOUT")
        if not seconds or self.connection is None or self.connection.closed:
            super().commit()
            return
        commit = watch.begin(self.connection.fileno(), seconds)
        try:
            super().commit()
        finally:
            watch.end(commit)

    def is_usable(self) -> bool:
        """Called before the first statement of each request. A server that has closed the connection makes an idle
        socket readable: only then is Django's own check worth a round trip."""
        if self.connection is None or self.connection.closed or self.given_up != watch.given_up:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0) or super().is_usable()

    def is_read_only(self) -> bool:
        """Whether a new transaction of this session could not write: on a standby, or by a setting."""
        with self.cursor() as cursor:
            cursor.execute("SELECT current_setting('transaction_read_only')")
            [setting] = cursor.fetchone()
        return bool(setting == "on")

    def waits_for_standby(self) -> bool:
        """Whether a commit of ours waits for a synchronous standby, and has for longer than such a wait takes."""
        with self.cursor() as cursor:
            cursor.execute(WAITING_COMMITS, [USUAL_COMMIT])
            [is_waiting] = cursor.fetchone()
        return bool(is_waiting)
