"""The order in which transactions of PostgreSQL end, for reading rows while others write them (ADR 0028).

Each row of a table that is read as a feed has the number of its transaction. Once all transactions below a number have
ended, no row below it can appear any more. On SQLite, where one transaction writes at a time, ids are in that order and
the number is 0.

The database function `commit_order` makes these numbers from those of PostgreSQL, which begin again in another
cluster: after a restore there they are moved by an offset, so that they go on ascending.
"""

from typing import Any

from django.db import connection, migrations
from django.db.models import BigIntegerField, Func

FUNCTION = (
    "CREATE OR REPLACE FUNCTION commit_order(xid8) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE "
    "AS 'SELECT CAST(CAST($1 AS text) AS bigint) + {}'"
)
CURRENT = "commit_order(pg_current_xact_id())"
OLDEST = "commit_order(pg_snapshot_xmin(pg_current_snapshot()))"  # all transactions of the cluster below have ended
NEXT = "pg_snapshot_xmax(pg_current_snapshot())"  # above every transaction that has ended
# Transactions of other databases add no rows here, and may stay open for hours. One that cannot be found counts as one
# of ours: it has ended since, or is prepared.
ELSEWHERE = """
SELECT held.transactionid FROM pg_locks held JOIN pg_stat_activity session ON session.pid = held.pid
WHERE held.locktype = 'transactionid' AND held.mode = 'ExclusiveLock' AND held.granted
AND session.datname <> current_database()
"""
OLDEST_HERE = f"""
SELECT least(
    commit_order(pg_snapshot_xmax(snapshot)), commit_order(pg_current_xact_id_if_assigned()),
    (SELECT min(commit_order(running)) FROM pg_snapshot_xip(snapshot) AS running
        WHERE CAST(running AS xid) NOT IN ({ELSEWHERE}))
) FROM (SELECT pg_current_snapshot() AS snapshot) AS present
"""
AHEAD = 2**32  # far enough that no cursor of the former cluster is beyond it


class TransactionNumber(Func):
    """The default of the column."""

    output_field = BigIntegerField()

    def as_sql(self, *args: Any, **kwargs: Any) -> Any:
        return CURRENT, []

    def as_sqlite(self, *args: Any, **kwargs: Any) -> Any:
        return "0", []


def transaction_field() -> "BigIntegerField[Any, Any]":
    return BigIntegerField(editable=False, db_default=TransactionNumber())


def create_function(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION.format(0))


def drop_function(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION IF EXISTS commit_order(xid8)")


def index_transactions(table: str) -> migrations.RunPython:
    """A migration's operation that indexes the column, which is the order of reading on PostgreSQL only."""

    def add(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f'CREATE INDEX {table}_transaction ON {table} ("transaction")')

    def remove(apps: Any, schema_editor: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP INDEX IF EXISTS {table}_transaction")

    return migrations.RunPython(add, remove)


def oldest_here() -> int:
    """The number below which all transactions of this database have ended. Only on PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute(OLDEST_HERE)
        return int(cursor.fetchone()[0])


def move_ahead(newest: int) -> bool:
    """Moves the numbers of all later transactions beyond `newest`, the highest that is stored, if they are not.

    Returns whether they were not, as after a restore into a cluster that has had fewer transactions.
    """
    with connection.cursor() as cursor:
        # What is stored has ended, so it is below the snapshot's upper end.
        cursor.execute(f"SELECT commit_order({NEXT}), CAST(CAST({NEXT} AS text) AS bigint)")
        following, in_cluster = cursor.fetchone()
        if following > newest:
            return False
        cursor.execute(FUNCTION.format(newest - in_cluster + AHEAD))
    return True
