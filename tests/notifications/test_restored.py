"""After a restore into another cluster of PostgreSQL, whose numbers of transactions are lower, the feed goes on."""

import pytest
from django.db import connection

from core.db import commit_order
from notifications import feed, windows
from notifications.cursors import START
from routing.models import ContactEvent
from tests import characters

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture(autouse=True)
def original_function():
    """The tests change it."""
    yield
    with connection.cursor() as cursor:
        cursor.execute(commit_order.FUNCTION.format(0))


@pytest.fixture
def bot():
    return characters.source()


def restore_elsewhere():
    """As after a dump from a cluster with a million transactions more."""
    ContactEvent.objects.update(transaction=commit_order.TransactionNumber() + 1_000_000)


def contacts_after(cursor):
    return {event.contact_id for event in feed.read_feed(after=cursor, limit=200)[0]}


def test_a_cursor_from_before_gets_what_comes_afterwards(bot):
    characters.contact(bot)
    restore_elsewhere()
    windows.continue_after_restore()
    _, cursor = feed.read_feed(after=START, limit=200)
    later = characters.contact(bot)
    assert contacts_after(cursor) == {later.pk}


def test_otherwise_what_was_restored_would_wait_for_a_million_transactions(bot):
    """The control."""
    characters.contact(bot)
    restore_elsewhere()
    after = characters.contact(bot)
    assert contacts_after(START) == {after.pk}


def test_from_the_beginning_everything_comes_once(bot):
    before = characters.contact(bot)
    restore_elsewhere()
    assert windows.continue_after_restore()
    after = characters.contact(bot)
    events, _ = feed.read_feed(after=START, limit=200)
    assert [event.contact_id for event in events] == [before.pk, before.pk, after.pk, after.pk]


def test_numbers_are_left_alone_without_a_restore(bot):
    characters.contact(bot)
    assert not windows.continue_after_restore()
    restore_elsewhere()
    assert windows.continue_after_restore()
    assert not windows.continue_after_restore()
