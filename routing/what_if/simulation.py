"""Replays the contacts of one source through the rule of `selection`, with fresh draws. Pure: no clock, no database.

Given are the arrivals, how long each contact stays with its first operator, and whatever the rule does not decide:
duty, configuration, and the places that other contacts take. Whoever waits is served oldest first, as in
`routing.queue`.

A month of 50,000 contacts is replayed two hundred times. So the moments at which contacts come and go are sorted once,
with the moment at which each goes if it does not wait; only those that did wait go through a heap. For the strategy
`weighted_random` the widths of each set of free operators are computed once.
"""

import heapq
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Any

from routing.selection import Candidate, choose, level_with, progress_after, widths
from routing.what_if.timeline import (
    ARRIVE,
    BEGIN_HOLDING,
    END_HOLDING,
    GO,
    LEAVE,
    NEW_DAY,
    SET,
    Event,
    Past,
    Setting,
)

RELEASE, MAY_HAVE_NEXT = range(2)  # what is due in the heap


@dataclass(frozen=True, slots=True)
class Outcome:
    """One replay: contacts by operator, the waits that were not 0 as (since, until), and the longest queue."""

    assigned: dict[int, int]
    waits: list[tuple[float, float]]
    longest_queue: int


class Person:
    """An operator during the replay. `bit`: its place in the sets of operators, which are whole numbers."""

    __slots__ = (
        "bit",
        "counts",
        "in_day",
        "in_hour",
        "left_level",
        "limit",
        "load",
        "may",
        "on_duty",
        "operator_id",
        "pace",
        "per_day",
        "per_hour",
        "progress",
        "taken",
        "weight",
    )

    def __init__(self, operator_id: int, bit: int) -> None:
        self.operator_id, self.bit = operator_id, bit
        self.load = self.limit = self.taken = self.in_hour = self.in_day = 0
        self.on_duty = self.counts = self.may = False
        self.weight: int | None = None
        self.per_hour: int | None = None
        self.per_day: int | None = None
        self.pace: int | None = None
        self.progress = 0.0
        self.left_level: float | None = None

    def look_again(self) -> None:
        """Sets `may`: whether it can get a contact, if it is below its limit."""
        is_capped = (self.per_hour is not None and self.in_hour >= self.per_hour) or (
            self.per_day is not None and self.in_day >= self.per_day
        )
        self.may = bool(self.weight) and self.on_duty and not is_capped


class Replay:
    """One run through the timeline, with the draws of `seed`."""

    def __init__(self, past: Past, events: Sequence[Event], seed: int) -> None:
        self.past, self.events = past, events
        self.draw = Random(seed).random
        self.people: dict[int, Person] = {}
        self.free = self.paced = 0  # sets of people: who can get a contact, and who none out of the queue yet
        self.lines: dict[int, tuple[list[int], list[Person]]] = {}
        self.strategy, self.is_sticky, self.is_open = "weighted_random", False, True
        self.now = 0.0
        self.queue: deque[int] = deque()
        self.holders: list[Person | None] = [None] * len(past.arrivals)  # of those who did not wait
        self.due: list[tuple[float, int, int, Person]] = []
        self.last_operators = dict(past.last_operators)
        self.waits: list[tuple[float, float]] = []
        self.longest_queue = 0

    def run(self) -> Outcome:
        due, holders = self.due, self.holders
        for at, kind, subject in self.events:
            while due and due[0][0] <= at:
                self.happen()
            self.now = at
            if kind == GO:
                if holder := holders[subject]:
                    self.release(holder)
            elif kind == ARRIVE:
                self.arrive(subject)
            else:
                self.happen_outside(kind, subject)
        while due and due[0][0] < self.past.until:
            self.happen()
        arrivals, until = self.past.arrivals, self.past.until
        self.waits += [(arrivals[number].at, until) for number in self.queue]
        assigned = {person.operator_id: person.taken for person in self.people.values()}
        return Outcome(assigned, self.waits, self.longest_queue)

    def arrive(self, number: int) -> None:
        """Older contacts come first: while somebody waits, nobody is free who could not have been given that one."""
        person = None
        if not self.queue and self.is_open:
            person = self.choose(number, self.free)
        if person:
            self.holders[number] = person
            self.take(person)
        else:
            self.queue.append(number)
            self.longest_queue = max(self.longest_queue, len(self.queue))

    def choose(self, number: int, free: int) -> Person | None:
        """The operator for this contact among those in the set, by the rule of `selection`."""
        if self.is_sticky:
            lead = self.past.arrivals[number].lead
            preferred = self.people.get(self.last_operators.get(lead, 0))
            chosen = preferred if preferred and preferred.bit & free else self.choose_by_rule(free)
            if chosen:
                self.last_operators[lead] = chosen.operator_id
            return chosen
        return self.choose_by_rule(free)

    def choose_by_rule(self, free: int) -> Person | None:
        if not free:
            return None
        if self.strategy != "weighted_random":
            return self.choose_by_state(free)
        line = self.lines.get(free)
        if line is None:
            found = widths(self.candidates(free), strategy=self.strategy, preferred=None)
            line = self.lines[free] = list(accumulate(found.values())), [self.people[pk] for pk in found]
        ends, people = line
        return people[bisect_right(ends, int(self.draw() * ends[-1]))]

    def choose_by_state(self, free: int) -> Person | None:
        """For strategies that look at loads or turns: both change with each contact."""
        candidates = self.candidates(free)
        chosen = choose(candidates, self.draw(), strategy=self.strategy).chosen
        if chosen is None:
            return None
        person = self.people[chosen]
        if self.strategy == "smooth":
            person.progress = progress_after(candidates, chosen) or person.progress
            others = [candidate for candidate in candidates if candidate.operator_id != chosen]
            person.left_level = level_with(others) if person.load + 1 >= person.limit else None
        return person

    def candidates(self, free: int) -> list[Candidate]:
        return [
            Candidate(
                person.operator_id,
                person.weight,
                person.load,
                person.limit,
                None if person.bit & free else "full",
                person.progress,
            )
            for person in self.people.values()
            if person.weight
        ]

    def take(self, person: Person) -> None:
        person.taken += 1
        self.occupy(person)

    def occupy(self, person: Person) -> None:
        person.load += 1
        if person.counts:
            person.in_hour += 1
            person.in_day += 1
            self.look_at(person)
        elif person.load == person.limit:
            self.free &= ~person.bit

    def release(self, person: Person) -> None:
        person.load -= 1
        if person.may and person.load == person.limit - 1:
            self.set_free(person)
        if self.queue:
            self.serve_queue()

    def look_at(self, person: Person) -> None:
        """Whether the person is free, after something has changed about it."""
        person.look_again()
        if not person.may or person.load >= person.limit:
            self.free &= ~person.bit
        elif not self.free & person.bit:
            self.set_free(person)

    def set_free(self, person: Person) -> None:
        if self.strategy == "smooth":
            self.come_back(person)
        self.free |= person.bit

    def come_back(self, person: Person) -> None:
        """See `routing.turns`: whoever comes back is owed nothing for the time in which it was away."""
        others = [other for other in self.people.values() if other.weight and other is not person]
        free = [other for other in others if other.bit & self.free]
        if free:
            total = sum(other.weight or 0 for other in free)
            level = sum((other.weight or 0) * other.progress for other in free) / total
        else:
            level = max((other.progress for other in others), default=person.progress)
        left = person.progress if person.left_level is None else person.left_level
        person.progress += max(level - left, 0.0)
        person.left_level = None

    def serve_queue(self) -> None:
        arrivals = self.past.arrivals
        while self.queue and self.is_open and (ready := self.free & ~self.paced):
            number = self.queue.popleft()
            person = self.choose(number, ready)
            assert person is not None
            self.take(person)
            self.waits.append((arrivals[number].at, self.now))
            self.plan(arrivals[number].lasts, RELEASE, person)
            if person.pace:
                self.paced |= person.bit
                self.plan(60 / person.pace, MAY_HAVE_NEXT, person)

    def plan(self, seconds: float, kind: int, person: Person) -> None:
        heapq.heappush(self.due, (self.now + seconds, kind, person.operator_id, person))

    def happen(self) -> None:
        self.now, kind, _, person = heapq.heappop(self.due)
        if kind == RELEASE:
            self.release(person)
        else:
            self.paced &= ~person.bit
            self.serve_queue()

    def happen_outside(self, kind: int, subject: Any) -> None:
        """What the rule does not decide."""
        if kind == BEGIN_HOLDING:
            self.occupy(self.person(subject.operator_id))
            if subject.lead:
                self.last_operators[subject.lead] = subject.operator_id
        elif kind == END_HOLDING:
            self.release(self.person(subject.operator_id))
        elif kind == LEAVE:
            if subject in self.queue:
                self.queue.remove(subject)
                self.waits.append((self.past.arrivals[subject].at, self.now))
        elif kind == SET:
            self.set(subject)
        else:
            for person in self.people.values():
                person.in_hour = 0
                person.in_day = 0 if kind == NEW_DAY else person.in_day
                self.look_at(person)
            self.serve_queue()

    def person(self, operator_id: int) -> Person:
        """Also one who is on no roster, but has had something to do with the source."""
        if operator_id not in self.people:
            self.people[operator_id] = Person(operator_id, 1 << len(self.people))
        return self.people[operator_id]

    def set(self, setting: Setting) -> None:
        name, value = setting.name, setting.value
        if setting.operator_id is None:
            setattr(self, name, value)
        else:
            person = self.person(setting.operator_id)
            if name == "duty":
                person.on_duty = value
            else:
                setattr(person, name, value)
            person.counts = person.per_hour is not None or person.per_day is not None
            if name == "weight":
                others = [one for one in self.candidates(self.free) if one.operator_id != person.operator_id]
                person.progress, person.left_level = level_with(others), None
            self.look_at(person)
        self.lines.clear()
        self.serve_queue()
