import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from leads import queue, statistics
from leads.management import rounds

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Sweeps the queue: assigns what waits while somebody is free, and tallies the hours that are over."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", type=float, metavar="SECONDS", help="again after so many seconds, until stopped")

    def handle(self, *args: Any, loop: float | None, **options: Any) -> None:
        if loop is None:
            rounds.once(sweep, log=log, stdout=self.stdout)
        else:
            rounds.repeat(sweep, seconds=loop, log=log)


def sweep() -> str:
    return f"{queue.sweep()} assigned, {statistics.tally()} hours tallied"
