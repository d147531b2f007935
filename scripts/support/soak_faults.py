"""What goes wrong during a soak, by plan, and which failures and repetitions each of it explains."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

import bench_service
from soak_machine import Clock, Database, Kept

ROUND = 600.0  # seconds in which everything happens once; a shorter run is one round
FULL = 60.0  # seconds, or a tenth of a shorter round
WORKER_EVERY, DELIVERER_EVERY = 30.0, 45.0  # seconds between one kill and the next
CALM = 10.0  # seconds at the end, in which nothing happens

WORKER, DELIVERER, DATABASE, CLOCK = "web worker", "delivery worker", "database", "clock"
# Seconds after the end of a fault in which calls may fail because of it.
AFTER = {WORKER: 5.0, DATABASE: 15.0}
# Which of them explain what a call got: only a killed process may lose a connection, and only a database that is away
# may give a 503.
EXPLAIN = {0: {WORKER}, 503: {DATABASE}}
# Seconds before and after a fault in which an event that arrives may arrive again: the worker that was killed has not
# noted it, or its lease ended early, and another worker had it as well. While the database is away, workers keep what
# they have to note, so that a kill loses what has arrived since then.
REPEATED = {DELIVERER: (5.0, 1.0), CLOCK: (5.0, 30.0)}


@dataclass(slots=True)
class Fault:
    """Times are seconds since 1970, by the clock of the machine. While it lasts, `until` is infinity."""

    kind: str
    since: float
    until: float


@dataclass
class Faults:
    counts: Counter[str] = field(default_factory=Counter)
    times: list[Fault] = field(default_factory=list)
    clock_steps: set[int] = field(default_factory=set)  # seconds, without their direction

    @contextmanager
    def note(self, kind: str, how: str) -> Iterator[None]:
        fault = Fault(kind, time.time(), float("inf"))
        self.counts[f"{kind}: {how}"] += 1
        self.times.append(fault)
        yield
        fault.until = time.time()
        print(f"{datetime.now():%H:%M:%S} {kind}: {how}", flush=True)

    def explain(self, status: int, begun: float, ended: float) -> bool:
        """Whether a call that got this, between these moments, had to fail. The status is 0 for a lost connection."""
        return any(
            fault.kind in EXPLAIN.get(status, ()) and begun <= fault.until + AFTER[fault.kind] and ended >= fault.since
            for fault in self.times
        )

    def explain_traceback(self, at: float) -> bool:
        return any(self.explain(status, at, at) for status in EXPLAIN)

    def explain_repetition(self, at: float) -> bool:
        """Whether an event that arrived at this moment may arrive once more."""
        spans = ((fault, *REPEATED[fault.kind]) for fault in self.times if fault.kind in REPEATED)
        return any(self.unnoted_since(fault) - before <= at <= fault.until + after for fault, before, after in spans)

    def unnoted_since(self, fault: Fault) -> float:
        """When it happened; when the database went away, if it was away at that moment or just back."""
        outages = [other for other in self.times if other.kind == DATABASE]
        return min(
            (other.since for other in outages if other.since <= fault.since <= other.until + AFTER[DATABASE]),
            default=fault.since,
        )


Act = Callable[[], None]


class Course:
    """Everything that goes wrong in a run of so many seconds. Database and clock have one thing after another, workers
    are killed all the time."""

    def __init__(
        self,
        seconds: float,
        *,
        faults: Faults,
        service: bench_service.Server,
        deliverers: Sequence[Kept],
        database: Database,
        clock: Clock,
        chance: Random,
    ) -> None:
        self.seconds, self.faults, self.chance = seconds, faults, chance
        self.service, self.deliverers, self.database, self.clock = service, deliverers, database, clock
        self.begun, self.ending = time.monotonic(), threading.Event()

    def run(self) -> None:
        """Returns when the run is over, with the right time."""
        workers = threading.Thread(target=self.repeat, args=[WORKER_EVERY, self.kill_worker])
        deliverers = threading.Thread(target=self.repeat, args=[DELIVERER_EVERY, self.kill_deliverer])
        for thread in (workers, deliverers):
            thread.start()
        try:
            for moment, act in self.plan():
                self.wait_until(moment)
                act()
            self.wait_until(self.seconds)
        finally:
            self.ending.set()
            for thread in (workers, deliverers):
                thread.join()

    def plan(self) -> list[tuple[float, Act]]:
        """Moments, in seconds of the run, and what happens then."""
        rounds = max(1, round(self.seconds / ROUND))
        length = self.seconds / rounds
        return [
            (length * (number + share), act)
            for number in range(rounds)
            for share, act in (
                (0.10, lambda: self.kill_database(signal.SIGQUIT, "stopped immediately")),
                (0.20, lambda: self.set_clock(300)),
                (0.30, lambda: self.kill_database(signal.SIGKILL, "killed")),
                (0.40, lambda: self.set_clock(0)),
                (0.50, lambda: self.kill_database(signal.SIGINT, "restarted")),
                (0.60, lambda: self.set_clock(-420)),
                (0.70, lambda: self.fill_disk(min(FULL, length / 10))),
                (0.90, lambda: self.set_clock(0)),
            )
        ]

    def wait_until(self, moment: float) -> None:
        self.ending.wait(max(0.0, moment - (time.monotonic() - self.begun)))

    def repeat(self, seconds: float, act: Act) -> None:
        moment = seconds / 2
        while moment < self.seconds - CALM:
            self.wait_until(moment)
            if self.ending.is_set():
                return
            act()
            moment += seconds

    @property
    def spares_the_oldest(self) -> bool:
        """In the second half, so that some processes live long enough to show how their memory grows."""
        return time.monotonic() - self.begun > self.seconds / 2

    def kill_worker(self) -> None:
        assert self.service.pid
        workers = bench_service.family(self.service.pid)[1:]
        if candidates := workers[1:] if self.spares_the_oldest else workers:
            with self.faults.note(WORKER, "killed"):
                os.kill(self.chance.choice(candidates), signal.SIGKILL)

    def kill_deliverer(self) -> None:
        candidates = self.deliverers[1:] if self.spares_the_oldest else self.deliverers
        with self.faults.note(DELIVERER, "killed"):
            self.chance.choice(candidates).kill(signal.SIGKILL)

    def kill_database(self, how: signal.Signals, word: str) -> None:
        with self.faults.note(DATABASE, word):
            self.database.kill(how)

    def fill_disk(self, seconds: float) -> None:
        with self.faults.note(DATABASE, f"without room for {seconds:.0f} s"):
            self.database.fill_disk()
            time.sleep(seconds)
            self.database.free_disk()

    def set_clock(self, ahead: int) -> None:
        with self.faults.note(CLOCK, f"set from {self.clock.ahead:+d} s to {ahead:+d} s"):
            self.faults.clock_steps.add(abs(ahead - self.clock.ahead))
            self.clock.step(ahead)
