"""A week of three shifts, 20 operators and 5,000 contacts, with a clock that runs fast. Every step is judged.

Usually it is only the first evening and night, and the time until everybody is served; `WEEK_HOURS=168` simulates all
of it.

Nothing sleeps: the clock jumps from one moment at which something happens to the next. A tick comes up to three seconds
after its moment, as a busy worker's does, and sometimes a second worker ticks, whose clock is 30 seconds slow.
"""

import heapq
import os
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection

from core.errors import Conflict
from leads import registration
from operators.models import Operator
from routing import clock, duty_edges, invariants, lifecycle, opening_hours, operator_actions, queue, taking
from routing.models import Contact, Source, Upkeep
from tests import characters
from tests.simulation.judge import MISSED, Held, Judge, Person

HOURS = int(os.environ.get("WEEK_HOURS", "7"))
CONTACTS = 30 * HOURS
SATURDAY = datetime(2026, 3, 28, 15, tzinfo=UTC)  # in the night to Sunday the clocks of Berlin go forward
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
EXPECTED = {"registered", "dequeued", "declined", "timed_out", "nobody_reacted", "closed_hours"}
SHIFTS = {"early": ("06:00", "14:00"), "late": ("14:00", "22:00"), "night": ("22:00", "06:00")}
BUSY = [1, 1, 1, 1, 1, 2, 4, 6, 9, 12, 14, 14, 12, 12, 14, 14, 12, 10, 8, 7, 6, 5, 3, 2]  # contacts by hour of the day

NEXT_MOMENT = "SELECT min(moment) FROM ({}) AS moments".format(
    " UNION ALL ".join(
        f"SELECT min({column}) AS moment FROM {table}"
        for table, column in [
            ("operators_operator", "next_edge_at"),
            ("operators_operator", "capped_until"),
            ("operators_operator", "paced_until"),
            ("routing_contact", "due_at"),
            ("routing_source", "next_edge_at"),
        ]
    )
)


def next_moment() -> datetime | None:
    """When something is due by itself: read from the tables, not by the code that is judged."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_MOMENT)
        [moment] = cursor.fetchone() or [None]
    return datetime.fromisoformat(moment).replace(tzinfo=UTC) if isinstance(moment, str) else moment


class Week:
    def __init__(self, seed: int, travel: time_machine.Traveller) -> None:
        self.chance, self.travel, self.now = random.Random(seed), travel, SATURDAY
        random.seed(seed)  # the draws
        self.order, self.coming = count(), list[tuple[datetime, int, Callable[[], None]]]()
        self.people = {person.pk: person for person in map(self.hire, range(20))}
        staff = list(self.people)
        self.sources = {
            self.open_source("Bot", staff, accept_within=300, max_offers=3): 300,
            self.open_source("Site", staff[::2], accept_within=120, max_offers=2, off_duty_after_missed=MISSED): 120,
            self.open_source("Mail", staff[:14], strategy="smooth"): None,
        }
        self.site = list(self.sources)[1]
        opening_hours.set_opening_hours(
            source_id=self.site,
            time_zone="Europe/Berlin",
            shifts=[{"weekday": day, "from": "08:00", "to": "20:00"} for day in range(1, 7)],
        )
        rosters = {pk: set(Source.objects.get(pk=pk).roster.values_list("operator", flat=True)) for pk in self.sources}
        self.judge = Judge(self.people, rosters, self.sources)

    def hire(self, number: int) -> Person:
        name, (begin, end) = list(SHIFTS.items())[number % 3]
        days_off = {number % 7 + 1, (number + 1) % 7 + 1}
        shifts = [(day, begin, end) for day in range(1, 8) if day not in days_off]
        zone = ["Europe/Berlin", "Europe/Moscow"][number % 5 == 4]
        fields: dict[str, Any] = {"limit": 3 + number % 4, "max_per_hour": [None, 8][number % 4 == 0]}
        fields |= {"max_per_day": [None, 30][number % 5 == 0], "queue_pace": [None, 2, 6][number % 3]}
        operator = characters.operator(f"{name} {number}", is_active=False, **fields)
        weekly = [{"weekday": day, "from": begin, "to": end} for day, begin, end in shifts]
        duty_edges.set_schedule(operator_id=operator.pk, time_zone=zone, shifts=weekly)
        return Person(
            operator.pk,
            operator.name,
            ZoneInfo(zone),
            shifts,
            limit=operator.max_load,
            per_hour=operator.max_per_hour,
            per_day=operator.max_per_day,
            pace=operator.queue_pace,
            ignores=0.5 if number % 6 == 5 else 0.03,
        )

    def open_source(self, name: str, members: list[int], **fields: object) -> int:
        source = characters.source(name, roster={Operator.objects.get(pk=pk): 5 + pk % 7 for pk in members})
        Source.objects.filter(pk=source.pk).update(**fields)
        return source.pk

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        heapq.heappush(self.coming, (moment, next(self.order), action))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.at(self.now + timedelta(seconds=seconds), action)

    def plan(self) -> None:
        """What people will do, besides answering."""
        hours = [SATURDAY + number * HOUR for number in range(HOURS)]
        for hour in self.chance.choices(hours, [BUSY[hour.hour] for hour in hours], k=CONTACTS):
            self.at(hour + self.chance.random() * HOUR, self.register)
        for number, person in enumerate(self.chance.sample(list(self.people.values()), 8)):
            start = SATURDAY + timedelta(minutes=self.chance.randrange(60, HOURS * 50))
            self.at(start - HOUR, partial(self.go_away, person, start, number))
        for number in range(max(9, HOURS // 3)):
            moment = SATURDAY + self.chance.random() * HOURS * HOUR
            self.at(moment, [self.pause, self.pause, self.switch_off][number % 3])
        for number in range(0, HOURS + 24, 3):
            self.at(SATURDAY + number * HOUR + timedelta(minutes=30), self.check)

    def register(self) -> None:
        source = self.chance.choices(list(self.sources), [5, 3, 2])[0]
        registration.register_contact(source_id=source, lead_phone=characters.somebody_new())

    def go_away(self, person: Person, start: datetime, number: int) -> None:
        end = start + timedelta(minutes=self.chance.randrange(60, 2 * 24 * 60))
        person.absences.append((start, end))
        made = duty_edges.add_absence(operator_id=person.pk, start=start, end=end, handover=number % 2 == 0)
        if number == 1:  # is back earlier
            self.at(start + HOUR / 2, lambda: self.come_back(person, made.pk))

    def come_back(self, person: Person, absence_id: int) -> None:
        person.absences[-1] = (person.absences[-1][0], self.now)
        duty_edges.cancel_absence(operator_id=person.pk, absence_id=absence_id)

    def pause(self) -> None:
        person = self.somebody_on_duty()
        if person is None:
            return
        minutes = self.chance.randint(5, 45)
        person.paused_until = self.now + timedelta(minutes=minutes)
        duty_edges.pause_operator(operator_id=person.pk, minutes=minutes)
        if self.chance.random() < 0.4:
            self.after(60 * minutes * self.chance.random(), lambda: self.resume(person))

    def resume(self, person: Person) -> None:
        person.paused_until = None
        duty_edges.resume_operator(operator_id=person.pk)

    def switch_off(self) -> None:
        if person := self.somebody_on_duty():
            person.off_until = person.next_edge(self.now)
            operator_actions.change_operator(operator_id=person.pk, changes={"is_active": False})

    def somebody_on_duty(self) -> Person | None:
        there = [person for person in self.people.values() if person.is_on_duty(self.now)]
        return self.chance.choice(there) if there else None

    def work_on(self, contact_id: int, operator_id: int) -> None:
        """What the operator will do with a new contact."""
        held = self.judge.contacts[contact_id]
        within, since = self.sources[held.source_id], held.since
        if within is None:
            self.after(self.chance.uniform(300, 2400), lambda: self.finish(contact_id, operator_id))
        elif self.chance.random() >= self.people[operator_id].ignores:
            delay = within * self.chance.choice([0.1, 0.2, 0.4, 0.8, 0.999, 1.0, 1.001])
            self.after(delay, lambda: self.react(contact_id, operator_id, held, since))

    def react(self, contact_id: int, operator_id: int, held: Held, since: datetime | None) -> None:
        person = self.people[operator_id]
        mine: dict[str, Any] = {"contact_id": contact_id, "expected_operator_id": operator_id}
        has_it = held.operator_id == operator_id and held.since == since
        if has_it and not person.is_on_duty(self.now):  # at home; the clock of the contact stands still
            self.after(1800, lambda: self.react(contact_id, operator_id, held, since))
            return
        try:
            if self.chance.random() < 0.1:
                taking.decline_contact(**mine)
                return
            self.chance.choice([taking.accept_contact, taking.accept_contact, taking.touch_contact])(**mine)
        except Conflict:
            assert held.operator_id != operator_id, f"{contact_id} was refused to {person.name}, who has it"
            return
        self.after(self.chance.uniform(300, 2400), lambda: self.finish(contact_id, operator_id))

    def finish(self, contact_id: int, operator_id: int) -> None:
        try:
            lifecycle.resolve_contact(contact_id=contact_id, expected_operator_id=operator_id)
        except Conflict:
            assert self.judge.contacts[contact_id].operator_id != operator_id

    def check(self) -> None:
        """Now and then: the sweep, the invariants, and the switches."""
        queue.sweep_queue()
        on_duty = dict(Operator.objects.values_list("pk", "is_active"))
        self.judge.faults += [*characters.findings(), *self.judge.unexplained_absences(self.now, on_duty)]

    def run(self, until: datetime) -> None:
        """Until everybody is served, or there is a fault, or it is too late."""
        while not self.judge.faults:
            due, coming = next_moment(), self.coming[0][0] if self.coming else until
            if due and due <= min(coming, until):
                self.tick(due)
            elif self.coming and coming <= until:
                moment, _, action = heapq.heappop(self.coming)
                self.move_to(moment)
                action()
            else:
                return
            for contact_id, operator_id in self.judge.look():
                self.work_on(contact_id, operator_id)
            if self.now > SATURDAY + HOURS * HOUR and self.judge.is_finished:
                return

    def left_over(self) -> Iterator[str]:
        """Open contacts, except those of the site that all have had who ever work while it is open.

        Nobody reacted to these; they wait for a supervisor.
        """
        by_day = {pk for pk, person in self.people.items() if not person.name.startswith("night")}
        for contact in Contact.objects.filter(resolved_at=None).select_related("source", "operator"):
            had, everybody = self.judge.contacts[contact.pk].had, by_day & self.judge.rosters[contact.source_id]
            if contact.waiting_reason != Contact.Waiting.NOBODY_REACTED or contact.source_id != self.site:
                yield f"{contact} of {contact.source} is open: {contact.waiting_reason}, {contact.operator}"
            elif not had >= everybody:
                yield f"{contact} was not offered to {everybody - had}"

    def move_to(self, moment: datetime) -> None:
        self.now = max(moment, self.now)
        self.travel.move_to(self.now, tick=False)

    def tick(self, due: datetime) -> None:
        """The worker's next tick; before it came many others that found nothing due."""
        Upkeep.objects.update_or_create(pk=1, defaults={"ticked_at": due})
        self.move_to(due + timedelta(seconds=3 * self.chance.random()))
        if self.chance.random() < 0.1:  # of another host
            with time_machine.travel(self.now - timedelta(seconds=30), tick=False):
                clock.tick()
        contacts = Contact.objects.filter(due_at__lte=self.now)
        self.judge.due = {pk: due_at for pk, due_at in contacts.values_list("pk", "due_at") if due_at}
        clock.tick()
        if left := next_moment():
            assert left > self.now, f"still due after the tick of {self.now}: {left}"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(900 + 40 * HOURS)
@pytest.mark.parametrize("seed", [1])
def test_a_week_with_everything_that_time_does(seed, settings):
    settings.TIME_ZONE = "UTC"
    with time_machine.travel(SATURDAY - HOUR, tick=False) as travel:
        week = Week(seed, travel)
        week.plan()
        week.run(until=SATURDAY + 3 * HOURS * HOUR + 7 * DAY)  # who misses offers is off duty, and the queue long
        print(f"{week.judge.assigned} assignments: {dict(week.judge.causes)}")
        assert week.judge.faults == []
        assert Contact.objects.count() == CONTACTS
        assert list(week.left_over()) == [], week.now
        assert list(invariants.wrong_decisions()) == []
        assert week.judge.causes.keys() >= EXPECTED, "something did not happen"
