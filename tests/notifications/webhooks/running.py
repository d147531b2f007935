"""A worker of webhooks in threads of the tests."""

from types import TracebackType

from django.db import connections

from notifications.webhooks import fan_out
from notifications.webhooks.sender import Sender
from notifications.worker import Loop, Worker


class Running:
    """Runs until the end of the block."""

    def __enter__(self) -> Worker:
        sender = Sender()
        self.worker = Worker(
            [
                Loop("fan_out", fan_out.run, 0.05, wakes=("send_webhooks",)),
                Loop("send_webhooks", sender.run_round, 0.05, finish=sender.finish),
            ]
        )
        self.worker.start()
        return self.worker

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.worker.stop()
        self.worker.join(60)
        assert not any(thread.is_alive() for thread in self.worker.threads)
        connections.close_all()
