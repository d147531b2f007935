"""Judges every step of a simulated week: a naive model of who is on duty, and a mirror of what the history says.

Nothing here calls the code that it judges: shifts are compared on the wall clock, contacts are counted one by one.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from routing.models import Contact, ContactEvent, Exclusion, Source

What = ContactEvent.What
LATE = timedelta(seconds=5)  # that a tick may be
MISSED = 3  # offers in a row that take an operator off duty

DEALT = {
    What.REGISTERED,
    What.DEQUEUED,
    What.REASSIGNED,
    What.HANDED_OVER,
    What.DECLINED,
    What.TIMED_OUT,
    What.RETURNED,
}


@dataclass
class Person:
    """One operator, as this model knows it."""

    pk: int
    name: str
    zone: ZoneInfo
    shifts: list[tuple[int, str, str]]  # weekday 1 to 7, from, to
    limit: int
    per_hour: int | None = None
    per_day: int | None = None
    pace: int | None = None
    ignores: float = 0.0  # how often it does not react to a contact
    absences: list[tuple[datetime, datetime]] = field(default_factory=list)
    paused_until: datetime | None = None
    off_until: datetime | None = None  # taken off duty by hand, which holds until the next edge

    def is_planned(self, moment: datetime) -> bool:
        local = moment.astimezone(self.zone)
        clock, today = local.strftime("%H:%M"), local.isoweekday()
        yesterday = (today + 5) % 7 + 1
        for weekday, begin, end in self.shifts:
            if begin < end and weekday == today and begin <= clock < end:
                return True
            if begin >= end and ((weekday == today and begin <= clock) or (weekday == yesterday and clock < end)):
                return True
        return False

    def is_on_duty(self, moment: datetime) -> bool:
        if any(start <= moment < end for start, end in self.absences):
            return False
        if any(until and moment < until for until in (self.paused_until, self.off_until)):
            return False
        return self.is_planned(moment)

    def next_edge(self, moment: datetime) -> datetime:
        """The next moment at which shift, absence or pause begin or end; they are whole minutes, but for pauses."""
        edges = [edge for absence in self.absences for edge in absence if edge > moment]
        edges += [self.paused_until] if self.paused_until and self.paused_until > moment else []
        minute = moment.replace(second=0, microsecond=0)
        for _ in range(8 * 24 * 60):
            minute += timedelta(minutes=1)
            if self.is_planned(minute) != self.is_planned(minute - timedelta(minutes=1)):
                edges.append(minute)
                break
        return min(edges)


@dataclass
class Held:
    """Where a contact is, by its history."""

    source_id: int
    operator_id: int | None = None
    since: datetime | None = None
    is_accepted: bool = False
    is_resolved: bool = False
    had: set[int] = field(default_factory=set)


class Judge:
    def __init__(self, people: Mapping[int, Person], rosters: Mapping[int, set[int]], within: Mapping[int, int | None]):
        self.people, self.rosters, self.within = people, rosters, within
        self.contacts: dict[int, Held] = {}
        self.waiting: set[int] = set()
        self.load = Counter[int]()
        self.by_hour, self.by_day = Counter[tuple[int, datetime]](), Counter[tuple[int, datetime]]()
        self.last_out_of_queue: dict[int, datetime] = {}
        self.missed: dict[int, deque[datetime]] = defaultdict(deque)
        self.due: dict[int, datetime] = {}  # of contacts that a tick is about to find
        self.last_event = 0
        self.assigned, self.causes = 0, Counter[str]()
        self.faults: list[str] = []

    def look(self) -> list[tuple[int, int]]:
        """Judges what has happened since the last look. Returns the assignments: contact and operator."""
        events = ContactEvent.objects.filter(pk__gt=self.last_event).order_by("pk")
        columns = ("pk", "contact", "at", "what", "from_operator", "to_operator", "reason")
        assignments = []
        for pk, contact_id, at, what, giver, taker, reason in events.values_list(*columns):
            self.last_event = pk
            if contact_id not in self.contacts:
                self.contacts[contact_id] = Held(Contact.objects.values_list("source", flat=True).get(pk=contact_id))
            held = self.contacts[contact_id]
            fault = f"{at:%a %H:%M:%S} contact {contact_id} {what} {giver} -> {taker}: "
            self.faults += [fault + what_is_wrong for what_is_wrong in self.judge(contact_id, held, at, what, taker)]
            if what == What.ACCEPTED:
                held.is_accepted = True
            elif what == What.RESOLVED:
                self.leave(contact_id, held)
                held.is_resolved = True
            elif what in DEALT:
                if what == What.TIMED_OUT and giver:
                    self.missed[giver].append(at)
                self.causes[what if taker else reason or what] += 1
                self.leave(contact_id, held)
                if taker:
                    self.arrive(held, taker, at)
                    assignments.append((contact_id, taker))
                else:
                    self.waiting.add(contact_id)
        return assignments

    @property
    def is_finished(self) -> bool:
        return all(held.is_resolved for held in self.contacts.values())

    def leave(self, contact_id: int, held: Held) -> None:
        self.waiting.discard(contact_id)
        if held.operator_id:
            self.load[held.operator_id] -= 1
            held.had.add(held.operator_id)
        held.operator_id, held.is_accepted = None, False

    def arrive(self, held: Held, taker: int, at: datetime) -> None:
        held.operator_id, held.since = taker, at
        self.load[taker] += 1
        self.assigned += 1

    def judge(self, contact_id: int, held: Held, at: datetime, what: str, taker: int | None) -> Iterator[str]:
        if what == What.TIMED_OUT:
            yield from self.judge_time_out(contact_id, held, at)
        if what in DEALT and taker:
            yield from self.judge_assignment(contact_id, held, at, what, taker)

    def judge_time_out(self, contact_id: int, held: Held, at: datetime) -> Iterator[str]:
        due, within = self.due.get(contact_id), self.within[held.source_id]
        if held.is_accepted:
            yield "it was taken"
        if due is None or not timedelta(0) <= at - due <= LATE:
            yield f"due at {due}"
        if within is None or held.since is None or at - held.since < timedelta(seconds=within):
            yield f"had only since {held.since}"
        if held.operator_id and not (
            self.was_on_duty(held.operator_id, at) or self.was_taken_off(held.operator_id, at)
        ):
            yield "its operator was off duty"

    def judge_assignment(self, contact_id: int, held: Held, at: datetime, what: str, taker: int) -> Iterator[str]:
        person, was_waiting = self.people[taker], contact_id in self.waiting
        if taker not in self.rosters[held.source_id]:
            yield "not on the roster"
        if not self.was_on_duty(taker, at):
            yield "off duty"
        if self.load[taker] + 1 > person.limit:
            yield f"above the limit of {person.limit}"
        hour, day = at.replace(minute=0, second=0, microsecond=0), at.replace(hour=0, minute=0, second=0, microsecond=0)
        for counted, period, cap in ((self.by_hour, hour, person.per_hour), (self.by_day, day, person.per_day)):
            counted[taker, period] += 1
            if cap and counted[taker, period] > cap:
                yield f"above the cap of {cap}"
        if what in (What.DECLINED, What.TIMED_OUT, What.DEQUEUED) and taker in held.had | {held.operator_id}:
            yield "had it before"
        if was_waiting and person.pace:
            before = self.last_out_of_queue.get(taker)
            if before and at - before < timedelta(minutes=1) / person.pace:
                yield f"faster than {person.pace} a minute out of the queue"
            self.last_out_of_queue[taker] = at
        if overtaken := self.overtaken(contact_id, taker):
            yield f"overtakes {overtaken}"

    def was_on_duty(self, operator_id: int, at: datetime) -> bool:
        """By the plan, or until a moment ago: the switch follows an edge within LATE."""
        person = self.people[operator_id]
        return person.is_on_duty(at) or person.is_on_duty(at - LATE)

    def was_taken_off(self, operator_id: int, at: datetime) -> bool:
        """By missed offers: then the clock of what the operator still has goes on."""
        return sum(at - missed < timedelta(hours=12) for missed in self.missed[operator_id]) >= MISSED

    def overtaken(self, contact_id: int, taker: int) -> list[int]:
        """Older contacts that waited for this operator, in an open source."""
        older = [pk for pk in self.waiting if pk < contact_id and taker in self.rosters[self.contacts[pk].source_id]]
        if not older:
            return []
        closed = set(Source.objects.filter(opens_at__isnull=False).values_list("pk", flat=True))
        given_back = set(Exclusion.objects.filter(operator=taker, contact__in=older).values_list("contact", flat=True))
        return [pk for pk in older if pk not in given_back and self.contacts[pk].source_id not in closed]

    def unexplained_absences(self, at: datetime, on_duty: Mapping[int, bool]) -> Iterator[str]:
        """Operators whose switch is not what the plan says, unless they have missed offers."""
        for pk, person in self.people.items():
            planned, steady = person.is_on_duty(at), person.is_on_duty(at - LATE)
            if planned == steady != on_duty[pk] and (on_duty[pk] or not self.missed[pk]):
                yield f"{at:%a %H:%M:%S} {person.name} is {'on' if on_duty[pk] else 'off'} duty"
