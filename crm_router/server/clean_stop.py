"""gunicorn's threaded worker, which closes its listening sockets when it stops (ADR 0025)."""

import select
from typing import Any

from gunicorn.workers.gthread import ThreadWorker


class CleanStopWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    def set_accept_enabled(self, enabled: bool) -> None:
        """gunicorn calls this with False when the worker stops.

        gunicorn 27.0 then keeps the sockets open, but unread, until the last connection ends: the system still accepts
        connections, nginx sends requests on them, and they are cut off without an answer. Here the worker accepts the
        connections that wait already and closes the sockets, so that nginx asks the other instance.
        """
        super().set_accept_enabled(enabled)
        if not (enabled or self.alive):
            from notifications import long_polls  # not above: the application is loaded after this class

            long_polls.end_waiting()
        while self.sockets and not self.alive:
            listener: Any = self.sockets.pop()
            while self.nr_conns < self.worker_connections and select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()
