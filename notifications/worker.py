"""The worker: loops that run side by side, each in a thread of its own, until they are stopped.

`manage.py deliver --loop` runs it, and in the quick start the serving process. Several workers share the work.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread

from core import periodic

log = logging.getLogger(__name__)

AFTER_FAILURE = 5.0  # seconds until the next round
AWAKE = 10.0  # seconds without work, after which a loop looks for it less often


def nothing() -> str:
    """The end of a loop that has nothing to finish."""
    return ""


@dataclass(frozen=True, slots=True)
class Loop:
    """Work in rounds. A round returns what it has done; the next one follows immediately, or after `seconds` if that
    is empty; after `resting` seconds, where given, if nothing was to be done for a while. `wakes`: loops that need not
    wait any longer when this one has done something. `finish` is called once, at the end, and may take some seconds."""

    name: str
    work: Callable[[], str]
    seconds: float
    wakes: tuple[str, ...] = ()
    resting: float | None = None
    finish: Callable[[], str] = nothing


def build_loops() -> list[Loop]:
    """All loops of the service. What sends is imported here, because only a worker needs its libraries."""
    from notifications.messenger import loops as messenger
    from notifications.webhooks import fan_out
    from notifications.webhooks.sender import Sender

    sender = Sender()
    return [
        Loop("fan_out", fan_out.run, seconds=0.25, resting=1, wakes=("send_webhooks",)),
        Loop("send_webhooks", sender.run_round, seconds=1, finish=sender.finish),
        *messenger.build_loops(),
    ]


class Worker:
    """Loops that are started and stopped together."""

    def __init__(self, loops: Sequence[Loop]) -> None:
        self.loops = loops
        self.stopped = Event()
        self.bells = {loop.name: Event() for loop in loops}
        self.done_at = {loop.name: time.monotonic() for loop in loops}  # when it had something to do
        self.threads = [Thread(target=self.run, args=(loop,), name=loop.name, daemon=True) for loop in loops]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Lets each loop end after its present round."""
        self.stopped.set()
        for bell in self.bells.values():
            bell.set()

    def join(self, seconds: float | None = None) -> None:
        """Waits for the end of all loops, so many seconds in all."""
        give_up_at = time.monotonic() + (seconds or 0)
        for thread in self.threads:
            thread.join(None if seconds is None else max(0, give_up_at - time.monotonic()))

    def run(self, loop: Loop) -> None:
        bell = self.bells[loop.name]
        while not self.stopped.is_set():
            bell.wait(self.run_round(loop))
            bell.clear()
        periodic.run_round(loop.finish, log=log, report=log.debug)

    def run_round(self, loop: Loop) -> float:
        """Returns after how many seconds the next round is due. Raises nothing.

        The connection to the database is kept, because rounds are short, and dropped after a failure.
        """
        reports: list[str] = []
        if not periodic.run_logged(loop.work, log=log, report=reports.append):
            periodic.drop_connections(log)
            return AFTER_FAILURE
        if not any(reports):
            is_awake = loop.resting is None or time.monotonic() - self.done_at[loop.name] < AWAKE
            return loop.seconds if is_awake else loop.resting or 0
        self.done_at[loop.name] = time.monotonic()
        for name in loop.wakes:
            self.bells[name].set()
        return 0


def run_until_idle(loops: Sequence[Loop]) -> str:
    """Runs rounds of all loops, one after another, until none has anything left to do now. Returns what was done."""
    done: list[str] = []
    while reports := [report for loop in loops if (report := loop.work())]:
        done += reports
    for loop in loops:
        loop.finish()
    return " ".join(done)
