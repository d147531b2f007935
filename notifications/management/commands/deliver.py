import logging
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import periodic
from notifications import worker

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Sends webhooks and messages: what is due now, or everything from now on with --loop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", action="store_true", help="go on until stopped")

    def handle(self, *args: Any, loop: bool, **options: Any) -> None:
        loops = worker.build_loops()
        if loop:
            run_until_stopped(worker.Worker(loops))
        else:
            periodic.run_once(lambda: worker.run_until_idle(loops), log=log, stdout=self.stdout)


def run_until_stopped(running: worker.Worker) -> None:
    """Runs it until SIGTERM or SIGINT; what was begun is ended."""
    periodic.limit_commits()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: running.stopped.set())
    running.start()
    running.stopped.wait()
    running.stop()
    running.join()
