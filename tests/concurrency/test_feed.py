"""Nothing is left out of the feed because it commits late, nothing comes twice, each contact's events come in order.

Ids are taken before the commit, so whoever reads by id alone misses what commits late: the control shows it.
"""

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction

from core import retry
from notifications import feed
from notifications.cursors import START, Cursor
from notifications.event_data import CONTACT_TYPES, found_in
from operators.load import lock_operators
from operators.models import Operator
from routing import lifecycle
from routing.models import Contact, ContactEvent, Source
from tests import characters
from tests.concurrency.threads import TIMEOUT, closing, together

pytestmark = pytest.mark.django_db(transaction=True)
late_commits = pytest.mark.postgresql  # on SQLite one transaction writes at a time


class LateCommit:
    """Registers a contact in a transaction of its own thread, and commits when it is let."""

    def __init__(self, source: Any) -> None:
        self.has_written, self.may_commit = Event(), Event()
        self.thread = Thread(target=closing, args=(lambda: self.register(source),))

    def register(self, source: Any) -> None:
        with transaction.atomic():
            characters.contact(source)
            self.has_written.set()
            assert self.may_commit.wait(60)

    def __enter__(self) -> "LateCommit":
        self.thread.start()
        assert self.has_written.wait(60)
        return self

    def __exit__(self, *error: object) -> None:
        self.commit()

    def commit(self) -> None:
        self.may_commit.set()
        self.thread.join(60)


def read_new(after: Cursor, limit: int = 200) -> tuple[list[feed.Event], Cursor]:
    """All that can be read now."""
    events: list[feed.Event] = []
    while True:
        page, cursor = feed.read_feed(after=after, limit=limit, types=CONTACT_TYPES)
        if cursor == after:
            return events, cursor
        events, after = events + page, cursor


def read_by_id(after: int) -> list[int]:
    """The naive reader: what is committed and has a greater id than the last one read."""
    return list(ContactEvent.objects.filter(pk__gt=after).order_by("pk").values_list("contact_id", flat=True))


@pytest.fixture
def empty():
    """A source without roster: whoever registers there waits for nobody's lock."""
    return characters.source()


@late_commits
def test_what_commits_late_is_read_later(empty):
    with LateCommit(empty) as late:
        on_time = characters.contact(empty)
        before, cursor = read_new(START)
        late.commit()
        after, _ = read_new(cursor)
    assert len(before) + len(after) == 4
    assert {event.contact_id for event in before + after} == set(Contact.objects.values_list("pk", flat=True))
    assert len({event.id for event in before + after}) == 4
    assert on_time.pk in {event.contact_id for event in after}


@late_commits
def test_a_reader_by_id_misses_it(empty):
    """The control: without windows of transactions the late one is never read."""
    with LateCommit(empty) as late:
        on_time = characters.contact(empty)
        assert read_by_id(0) == [on_time.pk]
        last = ContactEvent.objects.latest("pk").pk
        late.commit()
        assert read_by_id(last) == []
    assert Contact.objects.count() == 2


@late_commits
def test_a_cursor_of_the_present_gets_what_commits_late(empty):
    with LateCommit(empty) as late:
        characters.contact(empty)
        cursor = feed.latest_cursor()
        late.commit()
        events, _ = read_new(cursor)
    assert {event.contact_id for event in events} >= {Contact.objects.earliest("pk").pk}


def reopen_late(contact: Contact, has_begun: Event, may_go_on: Event) -> None:
    """Begins by locking another operator, which numbers the transaction, and changes the contact in the end."""
    for attempt in retry.attempts():
        with attempt:
            other = Operator.objects.get(name="Other")
            lock_operators([other.pk])
            has_begun.set()
            assert may_go_on.wait(60)
            lifecycle.reopen_contact(contact_id=contact.pk)


@late_commits
def test_the_order_of_a_contact_holds_if_the_later_change_has_the_earlier_transaction(empty):
    """Transaction 1 begins, 2 begins and stays open, 3 resolves the contact, 1 opens it again. While 2 is open, 3
    cannot be read yet; 1 could, and must not be."""
    characters.operator("Other")
    contact = characters.contact(empty)
    _, cursor = read_new(START)
    has_begun, may_go_on = Event(), Event()
    first = Thread(target=closing, args=(lambda: reopen_late(contact, has_begun, may_go_on),))
    first.start()
    assert has_begun.wait(60)
    with LateCommit(empty) as second:
        lifecycle.resolve_contact(contact_id=contact.pk)
        may_go_on.set()
        first.join(60)
        events, cursor = read_new(cursor)
        assert events == []
        second.commit()
        events, _ = read_new(cursor)
    mine = [event.type for event in events if event.contact_id == contact.pk]
    assert mine == ["contact.resolved", "contact.reopened", "contact.queued"]


WRITERS, TURNS = 16, 4


def live(sources: list[Source], number: int, halfway: Callable[[], None]) -> None:
    """A writer: registers contacts, and resolves and opens again those of anybody."""
    for turn in range(TURNS):
        if (number, turn) == (0, TURNS // 2):
            halfway()
        contact = characters.contact(sources[(number + turn) % len(sources)])
        other = Contact.objects.filter(pk__lt=contact.pk).order_by("-pk").first() or contact
        lifecycle.resolve_contact(contact_id=other.pk)
        lifecycle.reopen_contact(contact_id=other.pk)


def follow(is_over: Event, limit: int) -> dict[int, list[int]]:
    """Reads from the beginning until everybody has written and all is read: the ids of events, by contact."""
    read, cursor, was_over = defaultdict[int, list[int]](list), START, False
    while True:
        events, cursor = read_new(cursor, limit)
        for event in events:
            read[event.contact_id or 0].append(event.id)
        if was_over and not events:
            return read
        was_over = is_over.wait(0.05)


def follow_while_writing(sources: list[Source], limit: int, halfway: Callable[[], None]) -> dict[int, list[int]]:
    """What one reads from the beginning while 16 threads write."""
    is_over = Event()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(closing, lambda: follow(is_over, limit))
        try:
            together(*(partial(live, sources, number, halfway) for number in range(WRITERS)))
        finally:
            is_over.set()
        read: dict[int, list[int]] = reading.result(TIMEOUT)
    return read


def stored_ids() -> dict[int, list[int]]:
    """The ids of all events by contact, in order, from the whole history."""
    ids = defaultdict[int, list[int]](list)
    for row in ContactEvent.objects.order_by("pk"):
        ids[row.contact_id] += [found.id for found in found_in(row)]
    return ids


@late_commits
@pytest.mark.parametrize("limit", [7, 200])
def test_sixteen_writers_and_a_reader(empty, limit):
    """A registration that is open when they begin commits in the middle."""
    operators = [characters.operator(f"Operator {number}", limit=30) for number in range(4)]
    sources = [characters.source(roster={one: 1, other: 2}) for one, other in pairwise(operators)]
    with LateCommit(empty) as late:
        read = follow_while_writing(sources, limit, late.commit)
    assert len(read) == 1 + WRITERS * TURNS
    assert read == stored_ids()


def test_writers_and_a_reader_on_any_database():
    read = follow_while_writing([characters.source(roster={characters.operator("Anna"): 1})], 7, lambda: None)
    assert len(read) == WRITERS * TURNS
    assert read == stored_ids()


MANY = """
INSERT INTO routing_contactevent (contact_id, at, what, "by", reason)
SELECT %s + number %% 2000, now(), 'returned', 'me', 'returned' FROM generate_series(1, 5000) number
"""


@late_commits
def test_ten_thousand_events_are_read_by_one_cursor_while_writers_go_on(empty):
    """Most of them are there before, in windows much larger than a page."""
    lead = characters.contact(empty).lead
    waiting = [Contact(lead=lead, source=empty, waiting_reason="no_operators") for _ in range(2_000)]
    first = Contact.objects.bulk_create(waiting)[0]
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute(MANY, [first.pk])
    read = follow_while_writing([empty], 200, lambda: None)
    assert sum(map(len, read.values())) > 10_000
    assert read == stored_ids()
