import math
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base

from core import deadline
from core.db import faults
from core.db.sqlite import files
from core.db.sqlite.line import writers
from core.ids import LARGEST


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's backend with a line of writers, which notices that its files were replaced or deleted.

    Every transaction counts as a writer, because all our transactions are IMMEDIATE.
    """

    has_turn = False
    path = ""  # of the file that is open, empty in memory

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        path = "" if self.is_in_memory_db() else str(self.settings_dict["NAME"])
        if path:
            found = files.check_before_opening(path)
            if found[0]:  # if it is taken away now, SQLite is not to create an empty one
                conn_params = conn_params | {"database": f"{Path(path).absolute().as_uri()}?mode=rw"}
        connection = super().get_new_connection(conn_params)
        if path:
            connection.execute("PRAGMA user_version").fetchone()  # opens the log, or creates it
            try:
                files.hold(self, path, found_before=found)
            except OperationalError:
                connection.close()
                raise
        self.path = path
        return connection

    def create_cursor(self, name: str | None = None) -> "Cursor":
        cursor: Cursor = self.connection.cursor(factory=Cursor)
        return cursor

    def is_usable(self) -> bool:
        """Called before the first statement of each request. Three calls of the system cost some microseconds."""
        return files.is_open(self) and not (self.path and files.has_lost(self, self.path))

    def is_read_only(self) -> bool:
        """Whether the file, or its folder, where the log is written, is read-only for this user."""
        if self.is_in_memory_db():
            return False
        file = Path(self.settings_dict["NAME"])
        return not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))

    def waits_for_standby(self) -> bool:
        return False

    def _start_transaction_under_autocommit(self) -> None:
        """Waits for its turn, and then for other processes, in all at most `timeout` or until the deadline."""
        usual = self.settings_dict["OPTIONS"]["timeout"]
        left = deadline.seconds_left()
        until = time.monotonic() + min(usual, left)
        writers.take_turn(until=until, serves=left < math.inf)
        self.has_turn = True
        remaining = max(until - time.monotonic(), 0)
        try:
            if remaining < usual - 1:
                self.set_busy_timeout(remaining)
            super()._start_transaction_under_autocommit()  # type: ignore[misc] # the stubs leave it out
        except BaseException:
            self.give_way()
            raise
        finally:
            if remaining < usual - 1:
                self.set_busy_timeout(usual)

    def set_busy_timeout(self, seconds: float) -> None:
        with suppress(sqlite3.ProgrammingError):  # closed in the meantime
            self.connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")

    def _commit(self) -> None:
        try:
            if self.path and files.has_lost(self, self.path):
                raise OperationalError("The files of the database were replaced or deleted below this process.")
            super()._commit()  # type: ignore[misc]
        finally:
            self.give_way()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self.give_way()

    def _close(self) -> None:
        try:
            if not self.path or files.release(self, self.path):
                super()._close()  # type: ignore[misc]
        finally:
            self.give_way()

    def give_way(self) -> None:
        if self.has_turn:
            self.has_turn = False
            writers.give_way()


class Cursor(base.SQLiteCursorWrapper):
    def execute(self, query: str, params: Any = None) -> Any:
        """Finds nothing by an id beyond 64 bits, as PostgreSQL does. SQLite cannot take it, and addresses of pages may
        have any.

        Closes a connection that will go on failing, such as one to a file that could only be read.
        """
        try:
            return super().execute(query, params)
        except OverflowError:
            if not query.startswith("SELECT"):
                raise
            return super().execute(query, [bounded(value) for value in params])
        except sqlite3.Error as error:
            if faults.spoils_connection(error):
                self.connection.close()
            raise


def bounded(value: Any) -> Any:
    """The value, or infinity with its sign for an integer that SQLite cannot store."""
    if isinstance(value, int) and abs(value) > LARGEST:
        return float("inf") if value > 0 else float("-inf")
    return value
