import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import periodic
from routing import fairness, queue

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Assigns waiting contacts to free operators, and adds up the statistics of past hours."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", type=float, metavar="SECONDS", help="repeat after so many seconds, until stopped")

    def handle(self, *args: Any, loop: float | None, **options: Any) -> None:
        if loop is None:
            periodic.run_once(sweep_and_tally, log=log, stdout=self.stdout)
        else:
            periodic.run_repeatedly(sweep_and_tally, seconds=loop, log=log)


def sweep_and_tally() -> str:
    return f"{queue.sweep_queue()} assigned, {fairness.tally_hours()} hours tallied"
