import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections

from leads import queue, statistics


class Command(BaseCommand):
    help = "Sweeps the queue: assigns what waits while somebody is free, and tallies the hours that are over."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--loop", type=float, metavar="SECONDS", help="again after so many seconds, until stopped")

    def handle(self, *args: Any, loop: float | None, **options: Any) -> None:
        if loop is None:
            self.sweep()
            return
        stopped = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        while not stopped.is_set():
            try:
                self.sweep()
            except DatabaseError as error:  # the database may be away for a while; the next round finds it again
                self.stderr.write(f"Not swept: {error}")
            close_old_connections()
            stopped.wait(loop)

    def sweep(self) -> None:
        self.stdout.write(f"{queue.sweep()} assigned, {statistics.tally()} hours tallied")
        self.stdout.flush()  # or a log would show hundreds of rounds at once, hours later
