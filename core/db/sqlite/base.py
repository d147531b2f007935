import threading

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

writers = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """Lets one thread of this process write at a time; the others wait in a queue.

    Otherwise they would poll SQLite with growing sleeps: slower with more threads, and some would wait for seconds.
    Every transaction counts as a writer, because all our transactions are IMMEDIATE.
    """

    has_turn = False

    def _start_transaction_under_autocommit(self) -> None:
        if not writers.acquire(timeout=self.settings_dict["OPTIONS"]["timeout"]):
            raise OperationalError("database is locked")
        self.has_turn = True
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc] # the stubs leave it out
        except BaseException:
            self.give_way()
            raise

    def _commit(self) -> None:
        try:
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
            super()._close()  # type: ignore[misc]
        finally:
            self.give_way()

    def give_way(self) -> None:
        if self.has_turn:
            self.has_turn = False
            writers.release()
