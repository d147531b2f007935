"""Ends the wait for a commit that PostgreSQL does not confirm, as while its synchronous standby is gone.

The server sets no limit to this wait: none of its time-outs applies, and a cancelled wait counts as a success although
no standby has the commit. So the client gives up: it closes the connection. What was to be committed stays invisible,
and its locks stay held, until a standby confirms it; or it is lost with this server when another one is promoted. The
other connections of the process may lead to that server as well, so each is made anew before its next use.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

log = logging.getLogger(__name__)

EVERY = 0.5  # seconds between two looks


class CommitWatch:
    """A thread of the process, started with the first commit."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.lock = threading.Lock()
        self.commits: dict[socket.socket, float] = {}  # with the time of the monotonic clock at which each is given up
        self.has_started = False
        self.given_up = 0  # commits so far

    @contextmanager
    def limit(self, descriptor: int, seconds: float) -> Iterator[None]:
        """Within the block the connection of this file descriptor is shut down after so many seconds."""
        # A duplicate: the driver closes its own when the connection is lost, and its number may soon be another's.
        end = socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=os.dup(descriptor))
        with self.lock:
            self.commits[end] = time.monotonic() + seconds
            if not self.has_started:
                threading.Thread(target=self.look_repeatedly, name="commit-watch", daemon=True).start()
                self.has_started = True
        try:
            yield
        finally:
            with self.lock:
                self.commits.pop(end, None)
            end.close()

    def look_repeatedly(self) -> None:
        while True:
            time.sleep(EVERY)
            self.look()

    def look(self) -> None:
        now = time.monotonic()
        with self.lock:
            late = [end for end, until in self.commits.items() if until <= now]
            for end in late:
                del self.commits[end]
                with suppress(OSError):  # lost by itself
                    end.shutdown(socket.SHUT_RDWR)
            self.given_up += len(late)
        if late:
            log.warning(
                "%s commits were not confirmed in time, such as by a synchronous standby that is gone", len(late)
            )


watch = CommitWatch()
os.register_at_fork(after_in_child=watch.begin)
