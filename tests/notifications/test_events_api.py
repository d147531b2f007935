"""`GET /events`: what a caller may ask for, what it gets, and how it waits."""

from threading import Thread
from time import monotonic

import pytest
from django.db import connection
from rest_framework.test import APIClient

from notifications import feed, long_polls
from notifications.api.events import FeedSerializer
from tests import characters
from tests.access import callers
from tests.concurrency.threads import closing

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/events"


@pytest.fixture
def bot():
    return characters.source()


def get(**query):
    return APIClient().get(PATH, query)


def types(answer):
    return [event["type"] for event in answer.json()["events"]]


def test_from_the_beginning_all_events_come_oldest_first(bot):
    contact = characters.contact(bot)
    answer = get(after=0)
    assert types(answer) == ["contact.registered", "contact.queued"]
    [registered, _] = answer.json()["events"]
    assert set(registered) == {"id", "type", "at", "data"}
    assert registered["data"]["id"] == contact.pk
    assert registered["at"].endswith("Z")


def test_the_answer_is_what_its_serializers_give(bot):
    characters.contact(bot)
    events, _ = feed.read_feed(after=feed.START, limit=200)
    assert get(after=0).json()["events"] == FeedSerializer({"events": events, "cursor": "0"}).data["events"]


def test_a_refusal_is_in_the_language_of_each_caller():
    said = {
        language: APIClient().get(PATH, {"wait": 26}, HTTP_ACCEPT_LANGUAGE=language).json()["detail"]
        for language in ("ru", "en")
    }
    assert said["en"] == "wait: Ensure this value is less than or equal to 25."
    assert said["ru"] != said["en"]


def test_from_a_cursor_only_what_came_later(bot):
    characters.contact(bot)
    cursor = get(after=0).json()["cursor"]
    assert types(get(after=cursor)) == []
    later = characters.contact(bot)
    assert {event["data"]["id"] for event in get(after=cursor).json()["events"]} == {later.pk}


def test_without_a_cursor_events_come_from_now_on(bot):
    characters.contact(bot)
    answer = get()
    assert types(answer) == []
    characters.contact(bot)
    assert len(types(get(after=answer.json()["cursor"]))) == 2


def test_at_most_200_events_come_in_one_answer(bot):
    for _ in range(101):
        characters.contact(bot)
    first = get(after=0)
    assert (len(types(first)), len(types(get(after=first.json()["cursor"])))) == (200, 2)


def test_types_and_source_choose(bot):
    characters.contact(bot)
    mine = characters.contact(characters.source())
    answer = get(after=0, types="contact.queued, contact.resolved", source_id=mine.source_id)
    assert [(event["type"], event["data"]["id"]) for event in answer.json()["events"]] == [("contact.queued", mine.pk)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("after", value) for value in ("x", "-1", "1", "0-0-0-0", "2-1-0-0-0", "9" * 30)],
        *[("types", value) for value in ("contact.eaten", "contact.queued,", "contact.queued;contact.resolved")],
        *[("wait", value) for value in ("-1", "26", "1.5", "x")],
        *[("source_id", value) for value in ("0", "x", "9" * 30)],
    ],
)
def test_what_cannot_be_read_is_a_400_that_names_the_field(field, value):
    answer = get(**{field: value})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])


def test_blank_parameters_are_as_good_as_none(bot):
    characters.contact(bot)
    assert get(after="0", types="", source_id="", wait="").status_code == 200


def test_a_blank_cursor_is_refused_because_its_reader_would_miss_events():
    answer = get(after="")
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["after"])


def test_a_source_key_gets_contact_events_of_its_source_only(bot, settings):
    settings.API_KEYS = "required"
    other = characters.source()
    mine, _ = characters.contact(bot), characters.contact(other)
    callers.office().patch(f"/api/v1/sources/{bot.pk}", {"description": "new"})
    events = callers.bot(bot).get(PATH, {"after": 0}).json()["events"]
    assert [(event["type"], event["data"]["id"]) for event in events] == [
        ("contact.registered", mine.pk),
        ("contact.queued", mine.pk),
    ]
    for name, value in (("source_id", other.pk), ("types", "source.changed,lead.merged")):
        assert callers.bot(bot).get(PATH, {"after": 0, name: value}).json()["events"] == []
    assert len(callers.office().get(PATH, {"after": 0}).json()["events"]) == 5


def test_a_call_that_waits_is_answered_by_the_first_event(bot):
    cursor = get().json()["cursor"]
    registering = Thread(target=closing, args=(lambda: register_when_somebody_waits(bot),))
    registering.start()
    answer = get(after=cursor, wait=25)
    registering.join(60)
    assert types(answer) == ["contact.registered", "contact.queued"]
    assert "Retry-After" not in answer


def register_when_somebody_waits(bot):
    give_up_at = monotonic() + 60
    while not long_polls.waiters.waiting:
        assert monotonic() < give_up_at
    characters.contact(bot)


def test_a_call_waits_no_longer_than_it_asked(bot):
    begun = monotonic()
    answer = get(wait=1)
    assert types(answer) == []
    assert monotonic() - begun >= 1


def test_what_is_there_is_given_without_waiting(bot):
    characters.contact(bot)
    begun = monotonic()
    assert len(types(get(after=0, wait=25))) == 2
    assert monotonic() - begun < 25


def test_when_enough_calls_wait_the_next_is_answered_immediately(bot, monkeypatch):
    monkeypatch.setattr(long_polls, "waiters", long_polls.Waiters(1))
    with long_polls.waiters.one_more():
        begun = monotonic()
        answer = get(wait=25)
    assert (answer.status_code, types(answer)) == (200, [])
    assert 3 <= int(answer["Retry-After"]) <= 7
    assert monotonic() - begun < 25


@pytest.mark.parametrize(("contacts", "pauses"), [(1, True), (100, False)])
def test_while_many_ask_a_caller_pauses_between_events_unless_it_is_behind(bot, monkeypatch, contacts, pauses):
    monkeypatch.setattr(long_polls, "waiters", long_polls.Waiters(1))
    for _ in range(contacts):
        characters.contact(bot)
    assert "Retry-After" not in get(after=0, wait=25)
    with long_polls.waiters.one_more_call():
        answer = get(after=0, wait=25)
    assert len(types(answer)) == 2 * contacts
    assert ("Retry-After" in answer) == pauses


def test_calls_that_wait_are_answered_when_the_process_stops(bot, monkeypatch):
    monkeypatch.setattr(long_polls, "waiters", long_polls.Waiters(1))
    stopping = Thread(target=stop_when_somebody_waits)
    stopping.start()
    begun = monotonic()
    assert get(wait=25).status_code == 200
    stopping.join(60)
    assert monotonic() - begun < 25


def stop_when_somebody_waits():
    give_up_at = monotonic() + 60
    while not long_polls.waiters.waiting:
        assert monotonic() < give_up_at
    long_polls.end_waiting()


@pytest.mark.parametrize(("threads", "waiting"), [(1, 1), (4, 1), (8, 2), (13, 3)])
def test_at_most_a_quarter_of_the_threads_wait(monkeypatch, threads, waiting):
    monkeypatch.setattr(long_polls, "waiters", long_polls.Waiters(0))
    long_polls.limit_waiters(threads)
    assert long_polls.waiters.limit == waiting


def test_a_long_poll_holds_no_transaction(bot, monkeypatch):
    """It would keep the feed itself from going on."""
    found, read = [], feed.read_feed

    def look(**asked):
        found.append(connection.in_atomic_block)
        return read(**asked)

    monkeypatch.setattr(feed, "read_feed", look)
    get(wait=1)
    assert len(found) > 1
    assert not any(found)
