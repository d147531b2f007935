"""Ends the wait for a commit that PostgreSQL does not confirm, as while its synchronous standby is gone.

The server sets no limit to this wait: none of its time-outs applies, and a cancelled wait counts as a success although
no standby has the commit. So the client gives up: it closes the connection. What was to be committed stays invisible,
and its locks stay held, until a standby confirms it; or it is lost with this server when another one is promoted. The
other connections of the process may lead to that server as well, so each is opened again before its next use.
"""

import logging
import os
import socket
import threading
import time
from contextlib import suppress

log = logging.getLogger(__name__)

EVERY = 0.5  # seconds between two looks


class CommitWatch:
    """A thread of the process, started with the first commit. Whoever takes a commit out of `commits` ends it."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.commits: dict[int, float] = {}  # a file descriptor of each, and the monotonic time at which it is given up
        self.given_up = 0  # so far
        self.has_started = False

    def begin(self, descriptor: int, seconds: float) -> int:
        """The connection of this file descriptor is shut down after so many seconds, unless `end` is called before with
        what is returned."""
        # A duplicate: the driver closes its own when the connection is lost, and its number may soon be another's.
        commit = os.dup(descriptor)
        self.commits[commit] = time.monotonic() + seconds
        if not self.has_started:
            self.has_started = True
            threading.Thread(target=self.look_repeatedly, name="commit-watch", daemon=True).start()
        return commit

    def end(self, commit: int) -> None:
        if self.commits.pop(commit, None) is not None:
            os.close(commit)

    def look_repeatedly(self) -> None:
        while True:
            time.sleep(EVERY)
            self.look()

    def look(self) -> None:
        now = time.monotonic()
        late = [commit for commit, until in list(self.commits.items()) if until <= now]
        for commit in late:
            if self.commits.pop(commit, None) is not None:
                self.given_up += 1
                shut_down(commit)
                log.warning("A commit was not confirmed in time, such as by a synchronous standby that is gone")


def shut_down(descriptor: int) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=descriptor) as end,
        suppress(OSError),  # it was lost by itself
    ):
        end.shutdown(socket.SHUT_RDWR)


watch = CommitWatch()
os.register_at_fork(after_in_child=watch.reset)
