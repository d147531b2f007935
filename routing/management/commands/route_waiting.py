import logging
from threading import Thread
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import periodic
from routing import clock, tallies, upkeep
from routing.report import tallying

log = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Does what time has made due, assigns waiting contacts to free operators, adds up past hours."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", type=float, metavar="SECONDS", help="repeat after so many seconds, until stopped")
        parser.add_argument("--tally-again", action="store_true", help="add up all hours again, from the history")

    def handle(self, *args: Any, loop: float | None, tally_again: bool, **options: Any) -> None:
        if tally_again:
            tallies.forget_tallies()
            tallying.forget_tallies()
            tallying.tally_all()
        if loop is None:
            periodic.run_once(upkeep.tick_sweep_and_tally, log=log, stdout=self.stdout)
        else:
            periodic.stopped.clear()
            Thread(target=clock.tick_repeatedly, args=(periodic.stopped,), name="ticker", daemon=True).start()
            periodic.run_repeatedly(upkeep.sweep_and_tally, seconds=loop, log=log)
