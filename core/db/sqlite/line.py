"""The line of this process's writers: SQLite has one writer at a time."""

import threading
import time

from core.db.faults import DatabaseLocked

STUCK = 1.0  # seconds; a transaction takes milliseconds, so one that takes longer waits for another process
LOOK = 0.25  # seconds between two looks of a waiting writer at the line


class Line:
    """Lets one thread write at a time; the others wait.

    Otherwise they would poll SQLite with growing sleeps: slower with more threads, and some would wait for seconds.
    """

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.began_at = 0.0  # the present turn, by the monotonic clock
        self.serving: set[int] = set()  # threads that serve a request, and wait here or have the turn
        self.most: int | None = None  # of them, while a turn is stuck; None for no limit

    def keep_threads_for_readers(self, threads: int) -> None:
        """Of the threads that serve, two do not write while another process does not let anybody write."""
        self.most = max(threads - 2, 1)

    def take_turn(self, *, until: float, serves: bool) -> None:
        """Waits for the turn, at most until this moment of the monotonic clock. Raises DatabaseLocked.

        Only a thread that serves is ever sent away because the line is too long: the sweep and the worker of
        notifications take no thread from readers.
        """
        if serves:
            self.serving.add(threading.get_ident())
        try:
            self.wait_for_turn(until, serves)
        except BaseException:
            self.serving.discard(threading.get_ident())
            raise
        self.began_at = time.monotonic()

    def wait_for_turn(self, until: float, serves: bool) -> None:
        if self.turn.acquire(blocking=False):
            return
        while (now := time.monotonic()) < until and not (serves and self.is_too_long(now)):
            if self.turn.acquire(timeout=min(LOOK, until - now)):
                return
        raise DatabaseLocked("database is locked")

    def is_too_long(self, now: float) -> bool:
        return self.most is not None and len(self.serving) > self.most and now - self.began_at > STUCK

    def give_way(self) -> None:
        self.serving.discard(threading.get_ident())
        self.turn.release()


writers = Line()
