"""The figures of reports, made from the history of contacts. Pure: standard library only.

Each row of a contact's history adds to the figures of its own hour. What it adds depends on nothing but the row and the
earlier rows of the same contact, so rows can be counted in any order, at any time.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from math import ceil, log, sqrt
from struct import Struct
from typing import NamedTuple

COUNTS = ("registered", "assigned", "accepted", "declined", "timed_out", "resolved", "reopened")
DURATIONS = ("waiting", "first_reaction", "resolution")

STEP = 1.1  # each step of a histogram is so many times as long as the one before
LAST_STEP = 255  # a thousand years
PACKED = Struct("<HI")  # a step of one of the histograms, and how many are in it

MOVES = {
    "registered",
    "dequeued",
    "reassigned",
    "given",
    "returned",
    "handed_over",
    "reopened",
    "declined",
    "timed_out",
}
REACTIONS = {"accepted", "touched"}
TAKEN_FROM = {"declined", "timed_out", "resolved"}  # counted for the operator who had the contact


class Line(NamedTuple):
    """One row of the history; `what` is a value of `ContactEvent.What`."""

    pk: int
    contact_id: int
    source_id: int
    at: datetime
    what: str
    from_operator: int | None
    to_operator: int | None


class Entry(NamedTuple):
    """What one row adds to the figures of one operator, None for nobody: to a count, or a duration in seconds."""

    pk: int
    source_id: int
    operator_id: int | None
    at: datetime
    name: str  # of COUNTS or DURATIONS
    seconds: float = 0.0


@dataclass(slots=True)
class Figures:
    """Numbers of events by name of COUNTS, and numbers of durations by `histogram_step`."""

    counts: Counter[str] = field(default_factory=Counter)
    durations: Counter[int] = field(default_factory=Counter)

    def add(self, entry: Entry) -> None:
        if entry.name in DURATIONS:
            self.durations[histogram_step(entry.name, entry.seconds)] += 1
        else:
            self.counts[entry.name] += 1

    def add_all(self, other: "Figures") -> None:
        self.counts.update(other.counts)
        self.durations.update(other.durations)

    def number(self, name: str) -> int:
        """How many durations of this name there are."""
        return sum(number for _, number in self.histograms()[DURATIONS.index(name)])

    def percentile(self, name: str, share: float) -> float | None:
        """The duration in seconds that this share of all does not exceed, to one step; None if there are none."""
        return percentile_of(self.histograms()[DURATIONS.index(name)], share)

    def histograms(self) -> list[list[tuple[int, int]]]:
        """For each of DURATIONS its steps in ascending order, with their numbers."""
        found: list[list[tuple[int, int]]] = [[] for _ in DURATIONS]
        for step, number in sorted(self.durations.items()):
            found[step >> 8].append((step & LAST_STEP, number))
        return found

    def __bool__(self) -> bool:
        return any(self.counts.values()) or any(self.durations.values())


def percentile_of(histogram: Sequence[tuple[int, int]], share: float) -> float | None:
    rank = ceil(share * sum(number for _, number in histogram))
    for step, number in histogram:
        rank -= number
        if rank <= 0:
            return step_seconds(step)
    return None


def histogram_step(name: str, seconds: float) -> int:
    """Which of the steps this duration is in: 0 below one second, then steps of 10 percent; plus 256 for each of
    DURATIONS before this one."""
    step = 0 if seconds < 1 else min(1 + int(log(seconds) / log(STEP)), LAST_STEP)
    return (DURATIONS.index(name) << 8) + step


@cache
def step_seconds(step: int) -> float:
    """The middle of this step."""
    return 0.0 if step == 0 else round(sqrt(STEP ** (2 * step - 1)), 1)


def pack_durations(durations: Mapping[int, int]) -> bytes:
    return b"".join(PACKED.pack(step, number) for step, number in sorted(durations.items()) if number)


def unpack_durations(packed: bytes) -> Iterable[tuple[int, int]]:
    """Pairs of a step and a number. Raises struct.error if the bytes are none that were packed."""
    return PACKED.iter_unpack(packed)


def read_histories(lines: Iterable[Line]) -> Iterator[Entry]:
    """What the rows add, given the complete histories of their contacts, each in the order of ids."""
    histories: dict[int, History] = {}
    for line in lines:
        history = histories.get(line.contact_id)
        if history is None:
            history = histories[line.contact_id] = History(line.at)
        for name, operator_id, seconds in history.follow(line):
            yield Entry(line.pk, line.source_id, operator_id, line.at, name, seconds)


class History:
    """One contact while its rows are read."""

    def __init__(self, registered_at: datetime) -> None:
        self.registered_at = registered_at
        self.queued_at: datetime | None = None
        self.assigned_at: datetime | None = None  # to an operator who has not reacted yet

    def follow(self, line: Line) -> Iterator[tuple[str, int | None, float]]:
        if line.what in COUNTS:
            yield line.what, line.from_operator if line.what in TAKEN_FROM else line.to_operator, 0.0
        if line.what in MOVES:
            yield from self.move(line)
        elif line.what in REACTIONS and self.assigned_at:
            yield "first_reaction", line.to_operator, seconds_between(self.assigned_at, line.at)
            self.assigned_at = None
        elif line.what == "resolved":
            yield "resolution", line.from_operator, seconds_between(self.registered_at, line.at)
            self.queued_at = self.assigned_at = None

    def move(self, line: Line) -> Iterator[tuple[str, int | None, float]]:
        if line.what in ("registered", "reopened"):
            self.queued_at = line.at
        if line.to_operator is None:
            self.queued_at, self.assigned_at = self.queued_at or line.at, None
            return
        yield "assigned", line.to_operator, 0.0
        if self.queued_at:
            yield "waiting", line.to_operator, seconds_between(self.queued_at, line.at)
        self.queued_at, self.assigned_at = None, line.at


def seconds_between(start: datetime, end: datetime) -> float:
    """Never negative: the clock may have been set back."""
    return max((end - start).total_seconds(), 0.0)


def floor_hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
