"""What the feed gives: which events, in which order, and how one reads on."""

from datetime import timedelta

import pytest
from django.utils import timezone

from core.changes.models import Via
from core.changes.recording import Author, record_change
from notifications import feed
from notifications.cursors import START, Cursor
from operators.models import Operator
from routing import lifecycle
from routing.models import ContactEvent
from tests import characters

# Only what is committed is given, so the tests commit.
pytestmark = pytest.mark.django_db(transaction=True)

VERA = Author("user vera", Via.PAGE)
WATCHED = [name for name in feed.TYPES if name != "roster.changed"]  # the fixture fills a roster


@pytest.fixture
def bot():
    return characters.source(roster={characters.operator("Anna"): 1})


def read_all(after=START, limit=200, types=WATCHED, **asked):
    """All events from this cursor, in pages."""
    events: list[feed.Event] = []
    while True:
        page, cursor = feed.read_feed(after=after, limit=limit, types=types, **asked)
        assert len(page) <= limit
        if cursor == after:
            return events
        events, after = events + page, cursor


def change(what, **of):
    characters.run_attempts(lambda _: record_change(what, VERA, before={"name": 1}, after={"name": 2}, **of))


def types(events):
    return [event.type for event in events]


def test_a_registration_is_two_events(bot):
    contact = characters.contact(bot)
    registered, assigned = read_all()
    assert (registered.type, assigned.type) == ("contact.registered", "contact.assigned")
    assert registered.contact_id == assigned.contact_id == contact.pk
    assert registered.id < assigned.id


def test_a_contact_that_nobody_takes_is_queued():
    characters.contact(characters.source())
    assert types(read_all()) == ["contact.registered", "contact.queued"]


def test_the_whole_life_of_a_contact_comes_in_order(bot):
    contact = characters.contact(bot)
    lifecycle.return_contact(contact_id=contact.pk)
    lifecycle.force_contact(contact_id=contact.pk, operator_id=Operator.objects.get().pk)
    lifecycle.resolve_contact(contact_id=contact.pk)
    lifecycle.reopen_contact(contact_id=contact.pk)
    assert types(read_all()) == [
        *("contact.registered", "contact.assigned", "contact.queued", "contact.assigned", "contact.resolved"),
        *("contact.reopened", "contact.assigned"),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_of_any_size_give_the_same(bot, limit):
    for _ in range(5):
        characters.contact(bot)
        change("source.changed", source_id=bot.pk)
    whole = read_all()
    assert len(whole) == 15
    assert sorted(event.id for event in read_all(limit=limit)) == sorted(event.id for event in whole)


def test_types_choose_events_and_rows_without_any_are_passed(bot):
    for _ in range(5):
        characters.contact(bot)
    assert types(read_all(limit=2, types=["contact.assigned"])) == ["contact.assigned"] * 5
    assert read_all(limit=2, types=["contact.queued"]) == []


def test_a_source_chooses_its_contacts_and_changes(bot):
    other = characters.source()
    mine = characters.contact(bot)
    characters.contact(other)
    change("source.changed", source_id=bot.pk)
    change("source.changed", source_id=other.pk)
    events = read_all(source_id=bot.pk)
    assert [event.contact_id for event in events] == [mine.pk, mine.pk, None]
    assert {event.source_id for event in events} == {bot.pk}


def test_changes_of_keys_and_users_are_no_events():
    change("key.created")
    assert read_all() == []


def test_without_news_the_cursor_stays_the_same(bot):
    characters.contact(bot)
    _, cursor = feed.read_feed(after=START, limit=200)
    assert feed.read_feed(after=cursor, limit=200) == ([], cursor)
    assert read_all(after=feed.latest_cursor()) == []


def test_from_the_latest_cursor_only_news_come(bot):
    characters.contact(bot)
    cursor = feed.latest_cursor()
    later = characters.contact(bot)
    assert {event.contact_id for event in read_all(after=cursor)} == {later.pk}


def test_a_cursor_survives_as_text(bot):
    characters.contact(bot)
    _, cursor = feed.read_feed(after=START, limit=1, types=WATCHED)
    assert types(read_all(after=Cursor.parse(str(cursor)))) == ["contact.assigned"]


@pytest.mark.parametrize("text", ["", "x", "1", "-1", "0-0-0-0", "2-1-0-0-0", "0-0-0-0-99999999999999999999", "٣"])
def test_what_is_no_cursor_is_refused(text):
    with pytest.raises(ValueError, match="not a cursor"):
        Cursor.parse(text)


def test_events_older_than_the_setting_are_not_given(bot, settings):
    settings.EVENTS_DAYS = 3
    old, young = characters.contact(bot), characters.contact(bot)
    ContactEvent.objects.filter(contact=old).update(at=timezone.now() - timedelta(days=4))
    assert {event.contact_id for event in read_all()} == {young.pk}
    assert old.history.exists()


def test_a_cursor_for_a_moment_stands_before_its_events(bot):
    before, after = characters.contact(bot), characters.contact(bot)
    ContactEvent.objects.filter(contact=before).update(at=timezone.now() - timedelta(hours=2))
    cursor = feed.cursor_at(timezone.now() - timedelta(hours=1))
    assert {event.contact_id for event in read_all(after=cursor)} == {after.pk}


def test_events_are_found_again_by_id(bot):
    characters.contact(bot)
    change("operator.changed", operator_id=1)
    events = read_all()
    assert feed.find_events([event.id for event in events]) == {event.id: event for event in events}
    assert feed.find_events([8_000]) == {}


def test_messages_are_added_on_demand(bot):
    characters.contact(bot, message="Hello")
    change("operator.changed", operator_id=1)
    events = feed.add_messages(read_all())
    assert [event.data.get("message") for event in events] == ["Hello", "Hello", None]


def test_a_cursor_for_a_moment_to_come_gets_what_comes_later(bot):
    characters.contact(bot)
    cursor = feed.cursor_at(timezone.now() + timedelta(hours=1))
    assert read_all(after=cursor) == []
    later = characters.contact(bot)
    assert {event.contact_id for event in read_all(after=cursor)} == {later.pk}


def test_a_cursor_from_before_a_restore_goes_on_with_the_events_since_it_was_made(bot):
    """The database was set back to an earlier state: its numbers are lower than those that the cursor has seen."""
    ContactEvent.objects.filter(contact=characters.contact(bot)).update(at=timezone.now() - timedelta(hours=1))
    ahead = Cursor(2**60, 2**60, 2**50, 2**50)
    after = characters.contact(bot)
    assert {event.contact_id for event in read_all(after=ahead)} == {after.pk}
