"""Writes a year of contacts straight into the tables, for tests of scale. The rows are those that registration writes.

Decisions are made by the real rule from the loads of their time and stored with their evidence, contacts are resolved
about a day later, loads and tallies follow from them. Only the locks and the single transactions are missing.
Others may register meanwhile: the ids of the rows are reserved first.
"""

import heapq
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import count as numbers
from math import pi, sin
from typing import Any

from django.db import connection, transaction
from django.db.models import Max, Model

from core.db.bulk import store_as_given
from leads.models import Identity, Lead, PossibleDuplicate
from operators.load import set_loads
from operators.models import LIMITS, Operator
from routing import history, tallies
from routing.history import What
from routing.models import Contact, ContactEvent, RosterEntry, Source, Tally, Upkeep
from routing.rosters import candidate_of
from routing.selection import Decision, choose

YEAR, DAY = timedelta(days=365), timedelta(days=1)
SOURCES = 10
OPERATORS = 50  # on duty, each with the highest limit
ROSTER = 9  # of them on each source, or a few less
OFF_DUTY = 5  # the roster of one more source: its contacts wait
BUSY = 0.6  # of all places: the average, and no more than this
PAIRS = 0.02  # of returning people, the share marked as possible duplicates
TOGETHER = 10_000  # contacts written in one transaction

WRITTEN = (Lead, Identity, PossibleDuplicate, Contact, ContactEvent, Tally)  # in this order
BOT, PERSON = "key Bot", "user anna"
FIRST_NAMES = ["Анна", "Борис", "Вера", "Глеб", "Дарья", "Егор", "Жанна", "Иван", "Ольга", "Павел", "Anna", "John"]
LAST_NAMES = ["Ким", "Лебедь", "Мороз", "Ткаченко", "Шевчук", "Гончар", "Бондарь", "Коваль", "Miller", "Baker"]
MESSAGES = [
    "Здравствуйте!",
    "Сколько стоит доставка до Казани и когда её ждать?",
    "Добрый день! Есть ли в наличии размер 42, и можно ли забрать заказ сегодня вечером после шести?",
    "My order arrived damaged. What shall I do?",
    None,
]


def write_year(*, count: int, waiting: int, now: datetime, rng: random.Random) -> Iterator[int]:
    """Creates sources, operators, half as many leads as contacts, and the contacts of the year until `now`.

    The last `waiting` of them wait in a source where nobody is on duty. Yields the size of each part that is written.
    """
    tallies.tally_hours(now=now)
    year = Year(count=count, end=now, rng=rng)
    for number in range(count):
        year.add_contact(number, waits=number >= count - waiting)
        if (number + 1) % TOGETHER == 0:
            year.write()
            yield TOGETHER
    year.close()
    yield count % TOGETHER


def analyze() -> None:
    """Until then the database plans queries as for empty tables; PostgreSQL does it after a minute by itself."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


class Year:
    """Creates the events of the year in the order of time, and keeps their rows until they are written."""

    def __init__(self, *, count: int, end: datetime, rng: random.Random) -> None:
        self.count, self.start, self.end, self.rng = count, end - YEAR, end, rng
        self.busy, self.quiet = make_sources(rng, self.start)
        entries = RosterEntry.objects.filter(source__in=[*self.busy, self.quiet]).order_by("source", "operator")
        self.operators = Operator.objects.in_bulk(entries.values_list("operator_id", flat=True))
        self.rosters: dict[int, list[RosterEntry]] = defaultdict(list)
        for entry in entries:
            self.rosters[entry.source_id].append(entry)
        first = {model: reserve_ids(model, number) for model, number in most_rows(count).items()}
        self.first_lead = first[Lead]
        self.pks: dict[type[Model], Iterator[int]] = {model: numbers(first[model]) for model in WRITTEN}
        self.rows: dict[type[Model], list[Model]] = defaultdict(list)
        self.open: list[tuple[datetime, int, Contact]] = []  # with somebody, the next to be resolved first
        self.tallied_until = Upkeep.objects.get().tallied_until or self.start
        self.hour, self.counts = tallies.floor_hour(self.start), tallies.Counts()
        sustainable = BUSY * OPERATORS * LIMITS[1] * YEAR / count
        self.handling = min(DAY, sustainable).total_seconds()  # of one contact, on average

    def add_contact(self, number: int, *, waits: bool) -> None:
        """Every second contact is from a new person."""
        at = self.moment(number)
        self.resolve_until(at)
        lead_id = self.known_lead(number, at) if number % 2 else self.new_lead(at)
        source, decision = self.decide(waits)
        contact: Contact = self.add(
            Contact,
            lead_id=lead_id,
            source=source,
            message=self.rng.choice(MESSAGES),
            operator_id=decision.chosen,
            waiting_reason=decision.reason,
            created_at=at,
            updated_at=at,
        )
        event = self.add_event(contact, What.REGISTERED, at, decision=decision)
        if decision.chosen is not None:
            self.count_decision(at, source, decision, event)
            contact.assigned_at = at
            self.operators[decision.chosen].current_load += 1
            due = at + timedelta(seconds=self.rng.expovariate(1 / self.handling))
            if due <= self.end:  # written as it will be in the end
                contact.resolved_at = contact.updated_at = due
            heapq.heappush(self.open, (due, contact.pk, contact))

    def moment(self, number: int) -> datetime:
        """Spread over the year, with busy and quiet hours in each day."""
        day, part = divmod(YEAR.days * (number + self.rng.random()) / self.count, 1)
        return self.start + timedelta(days=day + part + 0.8 * sin(2 * pi * part) / (2 * pi))

    def new_lead(self, at: datetime) -> int:
        first, last = self.rng.choice(FIRST_NAMES), self.rng.choice(LAST_NAMES)
        lead = self.add(Lead, name=f"{first} {last}", created_at=at, updated_at=at)
        self.identify(lead.pk, Identity.Kind.PHONE, f"+79{lead.pk % 10**9:09d}", at)
        if self.rng.random() < 0.5:
            self.identify(lead.pk, Identity.Kind.EMAIL, f"client{lead.pk}@example.com", at)
        return int(lead.pk)

    def identify(self, lead_id: int, kind: str, value: str, at: datetime) -> None:
        self.add(Identity, lead_id=lead_id, kind=kind, value=value, raw=value, created_at=at)

    def known_lead(self, number: int, at: datetime) -> int:
        """A person who has written before. Sometimes it is marked that this may be two leads of one person."""
        newest = self.first_lead + number // 2
        lead_id = self.rng.randint(self.first_lead, newest)
        if lead_id < newest and self.rng.random() < PAIRS:
            # Each pair has its own newer lead, because a pair is stored only once.
            self.add(PossibleDuplicate, lead_id=lead_id, other_id=newest, created_at=at)
        return lead_id

    def decide(self, waits: bool) -> tuple[Source, Decision]:
        """A source where an operator is free, or the one where no operator is on duty."""
        while True:
            source = self.quiet if waits else self.rng.choice(self.busy)
            roster = [candidate_of(entry, self.operators[entry.operator_id]) for entry in self.rosters[source.pk]]
            decision = choose(roster, self.rng.random(), strategy=source.strategy)
            if waits or decision.chosen is not None:
                return source, decision

    def resolve_until(self, moment: datetime) -> None:
        while self.open and self.open[0][0] <= moment:
            due, _, contact = heapq.heappop(self.open)
            self.operators[contact.operator_id].current_load -= 1
            self.add_event(contact, What.RESOLVED, due)

    def add_event(self, contact: Contact, what: What, at: datetime, decision: Decision | None = None) -> ContactEvent:
        by, giver = (PERSON, contact.operator_id) if what == What.RESOLVED else (BOT, None)
        event = history.event_of(contact, what, by, from_operator=giver, decision=decision)
        line = ContactEvent(**event.values)
        line.pk, line.at = next(self.pks[ContactEvent]), at
        self.rows[ContactEvent].append(line)
        return line

    def count_decision(self, at: datetime, source: Source, decision: Decision, event: ContactEvent) -> None:
        """For the tally of its hour, unless the service has not tallied that hour yet."""
        hour = tallies.floor_hour(at)
        if hour != self.hour:
            self.tally_hour()
            self.hour = hour
        if hour < self.tallied_until:
            self.counts.add(source.pk, decision.strategy, None, decision.chosen, bytes(event.evidence or b""))

    def tally_hour(self) -> None:
        for row in tallies.tally_rows(self.hour, self.counts.by_pair()):
            row.pk = next(self.pks[Tally])
            self.rows[Tally].append(row)
        self.counts = tallies.Counts()

    def add(self, model: type[Model], **fields: Any) -> Any:
        row = model(pk=next(self.pks[model]), **fields)
        self.rows[model].append(row)
        return row

    @transaction.atomic
    def write(self) -> None:
        for model in WRITTEN:
            store_as_given(self.rows.pop(model, []))

    @transaction.atomic
    def close(self) -> None:
        """Writes the remaining rows and the loads."""
        self.resolve_until(self.end)
        self.tally_hour()
        self.write()
        set_loads({operator_id: operator.current_load for operator_id, operator in self.operators.items()})


def make_sources(rng: random.Random, at: datetime) -> tuple[list[Source], Source]:
    """Those that share the operators on duty, and the one whose operators are all off duty."""
    first = next_pk(Source)
    *busy, quiet = (Source.objects.create(name=f"Scale {first + place}") for place in range(SOURCES + 1))
    on_duty = [make_operator(f"Operator {place + 1}", at) for place in range(OPERATORS)]
    for place, source in enumerate(busy):
        # Each operator is on at least one roster.
        put_on_roster(source, {*on_duty[place::SOURCES], *rng.sample(on_duty, ROSTER - OPERATORS // SOURCES)}, rng)
    put_on_roster(
        quiet, [make_operator(f"Off duty {place + 1}", at, is_active=False) for place in range(OFF_DUTY)], rng
    )
    return busy, quiet


def make_operator(name: str, at: datetime, **fields: Any) -> Operator:
    return Operator.objects.create(name=name, max_load=LIMITS[1], limit_set_at=at, **fields)


def put_on_roster(source: Source, operators: Iterable[Operator], rng: random.Random) -> None:
    members = sorted(operators, key=lambda operator: operator.pk)
    RosterEntry.objects.bulk_create(
        RosterEntry(source=source, operator=operator, weight=rng.choice((10, 20, 30))) for operator in members
    )


def most_rows(count: int) -> dict[type[Model], int]:
    """How many rows of each table a year of so many contacts has at most."""
    leads, hours = count // 2 + 1, YEAR // timedelta(hours=1) + 2
    return {
        Lead: leads,
        Identity: 2 * leads,
        PossibleDuplicate: count,
        Contact: count,
        ContactEvent: 2 * count,
        Tally: min(hours * SOURCES, count) * ROSTER,
    }


@transaction.atomic
def reserve_ids(model: type[Model], number: int) -> int:
    """Reserves so many ids in a row, which the database gives to nobody else from then on. Returns the first."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Nobody is taking an id while the sequence is moved.
            cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id'))", [table])
            first = max(int(cursor.fetchone()[0]), next_pk(model))
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, first + number - 1])
        else:
            cursor.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = %s", [table])
            first = max(cursor.fetchone()[0] or 0, next_pk(model) - 1) + 1
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, first + number - 1])
    return first


def next_pk(model: type[Model]) -> int:
    return (model._default_manager.aggregate(last=Max("pk"))["last"] or 0) + 1
