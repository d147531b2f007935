"""What an error of the database means: to the retry, to answers of the API and pages, to commands and background work.

SQLSTATEs are those of PostgreSQL (appendix A of its manual), result codes those of SQLite (sqlite.org/rescode.html).
All other errors are defects of the code, for which `fault_of` returns None.
"""

import sqlite3
from enum import StrEnum
from typing import Any

from django.db import Error, InterfaceError, OperationalError


class Fault(StrEnum):
    """Something that ends by itself or by a person: try again later. The value is the `code` of the 503."""

    BUSY = "busy"  # a time-out, a lock, a lost race
    FULL = "full"
    READ_ONLY = "read_only"  # a standby, a demoted primary, a managed database that ran full
    SCHEMA = "schema"  # tables older or newer than this code
    INCOMPLETE = "incomplete"  # a restore without the sequences: new rows would get the ids of stored ones
    UNAVAILABLE = "unavailable"


class DatabaseLocked(OperationalError):
    """SQLite: the turn of this writer has not come."""


# PostgreSQL has rolled everything back and expects the client to try again: serialization_failure, deadlock_detected,
# and "cached plan must not change result type" after a migration. A connection that broke is not among them: the
# commit may have happened.
TRY_AGAIN = {"40001": "serialization", "40P01": "deadlock", "0A000": "schema"}
UNIQUE_VIOLATION = "23505"

LOST_STATEMENT = "26000"  # a pooler has dropped the prepared statements of this connection

SQLSTATES = {
    **dict.fromkeys(TRY_AGAIN, Fault.BUSY),
    "57014": Fault.BUSY,  # query_canceled, by statement_timeout
    "55P03": Fault.BUSY,  # lock_not_available, by lock_timeout
    "55006": Fault.BUSY,  # object_in_use
    "53100": Fault.FULL,  # disk_full
    "25006": Fault.READ_ONLY,  # read_only_sql_transaction
    "25P03": Fault.UNAVAILABLE,  # idle_in_transaction_session_timeout; the connection is closed
    "25P04": Fault.UNAVAILABLE,  # transaction_timeout
    "3D000": Fault.UNAVAILABLE,  # invalid_catalog_name: the database was dropped or renamed
    "42501": Fault.UNAVAILABLE,  # insufficient_privilege
    "3F000": Fault.SCHEMA,  # invalid_schema_name
    "42P01": Fault.SCHEMA,  # undefined_table
    "42P10": Fault.SCHEMA,  # invalid_column_reference: ON CONFLICT without its index
    "42703": Fault.SCHEMA,  # undefined_column
    "42704": Fault.SCHEMA,  # undefined_object
    "42804": Fault.SCHEMA,  # datatype_mismatch
    "42883": Fault.SCHEMA,  # undefined_function, also an operator for other types
    LOST_STATEMENT: Fault.UNAVAILABLE,
}
# Connection, authorization, resources, operator intervention, system, damaged files; by the first two characters.
SQLSTATE_CLASSES = dict.fromkeys(("08", "28", "53", "57", "58", "F0", "XX"), Fault.UNAVAILABLE)

SQLITE_CODES = {
    sqlite3.SQLITE_BUSY: Fault.BUSY,
    sqlite3.SQLITE_LOCKED: Fault.BUSY,
    sqlite3.SQLITE_INTERRUPT: Fault.BUSY,
    sqlite3.SQLITE_FULL: Fault.FULL,
    sqlite3.SQLITE_READONLY: Fault.READ_ONLY,
    sqlite3.SQLITE_READONLY_DBMOVED: Fault.UNAVAILABLE,
    **dict.fromkeys(
        (
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_NOMEM,
            sqlite3.SQLITE_NOTADB,
            sqlite3.SQLITE_PERM,
            sqlite3.SQLITE_PROTOCOL,
        ),
        Fault.UNAVAILABLE,
    ),
}
PRIMARY_CODE = 0xFF  # of an extended result code
SQLITE_SCHEMA = ("no such table", "no such column", "has no column named")  # these have no code of their own

# libpq's words, which have no SQLSTATE: no host of DATABASE_URL takes changes (target_session_attrs).
READ_ONLY_SESSION = ("session is read-only", "server is in hot standby mode")


def fault_of(error: BaseException | None) -> Fault | None:
    """The fault that this error of Django or of a driver tells of; None for a defect and for all other errors."""
    if isinstance(error, DatabaseLocked):
        return Fault.BUSY
    if is_sequence_behind(error):
        return Fault.INCOMPLETE
    if state := sqlstate(error):
        return SQLSTATES.get(state) or SQLSTATE_CLASSES.get(state[:2])
    if (code := of_driver(error, "sqlite_errorcode")) is not None:
        return sqlite_fault(code, str(error))
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    return Fault.READ_ONLY if any(words in str(error) for words in READ_ONLY_SESSION) else Fault.UNAVAILABLE


def sqlite_fault(code: int, message: str) -> Fault | None:
    if code == sqlite3.SQLITE_ERROR and any(words in message for words in SQLITE_SCHEMA):
        return Fault.SCHEMA
    return SQLITE_CODES.get(code) or SQLITE_CODES.get(code & PRIMARY_CODE)


def spoils_connection(error: BaseException) -> bool:
    """Whether the connection answers, but will go on failing: another one may find the primary, or a file that can be
    written by now."""
    return fault_of(error) == Fault.READ_ONLY or sqlstate(error) == LOST_STATEMENT


def sqlstate(error: BaseException | None) -> str:
    """PostgreSQL's SQLSTATE of an error of Django or psycopg; empty if it has none."""
    return of_driver(error, "sqlstate") or ""


def of_driver(error: BaseException | None, name: str) -> Any:
    """An attribute of a driver's error, which Django's error has as its cause."""
    if isinstance(error, Error):
        error = error.__cause__
    return getattr(error, name, None)


def violated_constraint(error: BaseException | None) -> str:
    """The name of the violated constraint on PostgreSQL, without the values, which may be personal data; else empty."""
    return getattr(of_driver(error, "diag"), "constraint_name", None) or ""


def is_sequence_behind(error: BaseException | None) -> bool:
    """Whether a new row got the id of a stored one. Ids come from sequences, so this is no race: a sequence was left
    behind by an incomplete restore, and further rows fail likewise until it is set."""
    table = getattr(of_driver(error, "diag"), "table_name", None)
    return sqlstate(error) == UNIQUE_VIOLATION and violated_constraint(error) == f"{table}_pkey"
