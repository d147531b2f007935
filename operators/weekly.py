"""Calendar arithmetic of weekly schedules: which intervals a weekly pattern covers. Pure: no database and no clock.

A pattern is read on the wall clock of its time zone. A shift begins at the first moment at which that clock reaches
`start`, and ends at the first moment at which it reaches `end`: where the clock jumps over one of them, at the jump;
where it shows one of them twice, at the first. All moments that go in and come out are aware.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

HORIZON = timedelta(days=15)  # an edge of a weekly pattern is nearer, also where a zone has left out a day

Interval = tuple[datetime, datetime]  # from, to; in UTC


@dataclass(frozen=True, slots=True)
class Shift:
    """Every week from `start` to `end` on the clock; an `end` that is not later crosses midnight. 1 = Monday."""

    weekday: int
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Weekly:
    """A weekly pattern. Shifts may overlap: together they count once."""

    zone: ZoneInfo
    shifts: Sequence[Shift]

    def intervals(self, start: datetime, end: datetime) -> list[Interval]:
        """What the pattern covers between two moments, in order, each as long as possible."""
        merged: list[Interval] = []
        for begin, until in sorted(self.shifts_between(start, end)):
            begin, until = max(begin, start.astimezone(UTC)), min(until, end.astimezone(UTC))
            if begin >= until:
                continue
            if merged and begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(until, merged[-1][1]))
            else:
                merged.append((begin, until))
        return merged

    def shifts_between(self, start: datetime, end: datetime) -> Iterator[Interval]:
        # Two days around: a shift may have begun the day before, and a zone may have left out a day.
        day = start.astimezone(self.zone).date() - timedelta(days=2)
        last = end.astimezone(self.zone).date() + timedelta(days=1)
        while day <= last:
            for shift in self.shifts:
                if shift.weekday == day.isoweekday():
                    until = day if shift.end > shift.start else day + timedelta(days=1)
                    yield self.reached(day, shift.start), self.reached(until, shift.end)
            day += timedelta(days=1)

    def reached(self, day: date, clock: time) -> datetime:
        """The first moment at which the zone's clock shows this, or has jumped over it."""
        wall = datetime.combine(day, clock)
        early, late = (wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (1, 0))
        if late <= early:
            return late  # once, or the first of two
        # The clock jumps over it, somewhere between these two moments.
        while late - early > timedelta(seconds=1):
            middle = early + (late - early) / 2
            if middle.astimezone(self.zone).replace(tzinfo=None) >= wall:
                late = middle
            else:
                early = middle
        return late.replace(microsecond=0)

    def covers(self, moment: datetime) -> bool:
        return bool(self.intervals(moment, moment + timedelta(microseconds=1)))

    def next_edge(self, after: datetime) -> datetime | None:
        """The next moment after this one at which the pattern begins or ends to cover; None if there is none."""
        # From a microsecond later on: an interval that begins there has begun before.
        begin = after.astimezone(UTC) + timedelta(microseconds=1)
        for start, end in self.intervals(begin, begin + HORIZON):
            if start > begin:
                return start
            if end < begin + HORIZON:
                return end
        return None
