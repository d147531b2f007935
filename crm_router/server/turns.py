"""Work that one process of the service does at a time. When it ends, however it ends, another one goes on."""

import errno
import fcntl
import tempfile
import time
from collections.abc import Callable
from threading import Thread
from typing import IO

AGAIN = 1.0  # seconds


class Turn:
    """The process that has locked the file does the work; the system unlocks it at the end of the process."""

    def __init__(self) -> None:
        self.file: IO[bytes] | None = None

    def prepare(self) -> None:
        """Called in the master: the processes that it forks lock the same file."""
        self.file = self.file or tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process lives

    def start(self, work: Callable[[], None], *, name: str) -> None:
        """Does the work in a thread of this name, as soon as no other process of the service does it."""
        self.prepare()
        Thread(target=self.wait_and_do, args=(work,), name=name, daemon=True).start()

    def wait_and_do(self, work: Callable[[], None]) -> None:
        while not self.has_locked():
            time.sleep(AGAIN)
        work()

    def has_locked(self) -> bool:
        """Waits for the lock, and usually has it then.

        The system gives up when processes wait for each other: it does not know that different threads of them do, each
        for a turn of its own, and that none holds up another.
        """
        assert self.file is not None
        try:
            fcntl.lockf(self.file, fcntl.LOCK_EX)  # of the process, also in a file that was opened before the fork
        except OSError as error:
            if error.errno == errno.EDEADLK:
                return False
            raise
        return True
