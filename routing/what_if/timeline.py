"""What is replayed: all that does not depend on the draws, in order. Pure: no clock, no database.

Moments are seconds since the begin of the period; what came before it is negative.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

ALWAYS = -inf  # the moment of a setting that holds from the begin on


@dataclass(frozen=True, slots=True)
class Arrival:
    """A contact that the rule has to assign. `lasts`: seconds with its operator, inf if it stayed to the end.

    `leaves_at`: when it leaves the queue if nobody has got it. `lead` matters to sticky sources only.
    """

    at: float
    lasts: float
    leaves_at: float = inf
    lead: int = 0


@dataclass(frozen=True, slots=True)
class Holding:
    """A place that was taken otherwise: by another source, by hand, or after the contact's first operator."""

    operator_id: int
    since: float
    until: float = inf
    lead: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that holds from a moment on. Of an operator: `duty`, `weight` (None: not on the roster), `limit`,
    `per_hour`, `per_day`, `pace` (None: no limit). Of the source: `strategy`, `is_sticky`, `is_open`."""

    at: float
    name: str
    value: Any
    operator_id: int | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """What is replayed, until the end of the period.

    `hours`: the begin of each hour of the clock that has to do with the period, and its hour of the day; each is 3,600
    seconds. `days`: likewise of its days. `last_operators`: by lead, before the period.
    """

    arrivals: Sequence[Arrival]
    holdings: Sequence[Holding]
    settings: Sequence[Setting]
    until: float
    hours: Sequence[tuple[float, int]] = ()
    days: Sequence[float] = ()
    last_operators: dict[int, int] = field(default_factory=dict)


# What happens at one moment happens in this order: places are freed before they are taken.
SET, NEW_DAY, NEW_HOUR, END_HOLDING, LEAVE, GO, BEGIN_HOLDING, ARRIVE = range(8)

Event = tuple[float, int, Any]


def timeline(past: Past) -> list[Event]:
    """Everything that does not depend on the draws, in order: moment, kind, and what it is about."""
    events: list[Event] = [(one.at, SET, one) for one in past.settings]
    events += [(begin, NEW_HOUR, None) for begin, _ in past.hours] + [(begin, NEW_DAY, None) for begin in past.days]
    for held in past.holdings:
        events += [(held.since, BEGIN_HOLDING, held), (held.until, END_HOLDING, held)]
    for number, arrival in enumerate(past.arrivals):
        events += [(arrival.at, ARRIVE, number), (arrival.at + arrival.lasts, GO, number)]
        events.append((arrival.leaves_at, LEAVE, number))
    return sorted((event for event in events if event[0] < past.until), key=lambda event: event[:2])
