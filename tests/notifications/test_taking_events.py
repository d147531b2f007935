"""Taking and declining are events; each shows the contact as it was then."""

import time

import pytest

from notifications import feed
from notifications.cursors import START
from notifications.event_data import CONTACT_TYPES
from operators.models import Operator
from routing import lifecycle, taking
from tests import characters

pytestmark = pytest.mark.django_db(transaction=True)  # the feed gives only what is committed


@pytest.fixture
def contact():
    """One that Anna has; Boris is on duty only from then on."""
    anna, boris = characters.operator("Anna"), characters.operator("Boris", is_active=False)
    found = characters.contact(characters.source(roster={anna: 10, boris: 10}))
    Operator.objects.update(is_active=True)
    return found


def read(number):
    """This many events of contacts. On PostgreSQL they come when older transactions have ended, of other tests too."""
    deadline = time.monotonic() + 60
    while True:
        events, _ = feed.read_feed(after=START, limit=200, types=CONTACT_TYPES)
        if len(events) >= number or time.monotonic() > deadline:
            return events
        time.sleep(0.05)


def test_taking_is_an_event_and_a_later_reply_is_none(contact):
    taking.accept_contact(contact_id=contact.pk)
    taking.touch_contact(contact_id=contact.pk)
    assert [event.type for event in read(3)] == ["contact.registered", "contact.assigned", "contact.accepted"]


def test_a_reply_that_takes_it_is_the_event_of_taking_it(contact):
    taking.touch_contact(contact_id=contact.pk)
    assert read(3)[-1].type == "contact.accepted"


def test_declining_is_two_events(contact):
    taking.decline_contact(contact_id=contact.pk, by="user anna", reason="On lunch")
    declined, assigned = read(4)[-2:]
    assert (declined.type, assigned.type) == ("contact.declined", "contact.assigned")
    assert (declined.data["operator"]["name"], declined.data["by"]) == ("Boris", "user anna")
    assert (declined.data["from_operator_id"], declined.data["cause"]) == (contact.operator_id, "reassign")


def test_a_declined_contact_that_nobody_has_is_queued(contact):
    Operator.objects.filter(name="Boris").update(is_active=False)
    taking.decline_contact(contact_id=contact.pk)
    declined, queued = read(4)[-2:]
    assert (declined.type, queued.type) == ("contact.declined", "contact.queued")
    assert (queued.data["assignment"]["status"], queued.data["assignment"]["reason"]) == ("waiting", "returned")


def test_each_event_shows_whether_it_was_taken_then_and_how_many_had_had_it(contact):
    taking.accept_contact(contact_id=contact.pk)
    taking.decline_contact(contact_id=contact.pk)
    taking.accept_contact(contact_id=contact.pk)
    lifecycle.resolve_contact(contact_id=contact.pk)
    events = read(7)
    first, second = (event.data["assignment"] for event in events if event.type == "contact.accepted")
    assert first["accepted_at"] < second["accepted_at"]
    found = [(e.type, bool(e.data["assignment"]["accepted_at"]), e.data["assignment"]["offers"]) for e in events]
    assert found == [
        ("contact.registered", False, 1),
        ("contact.assigned", False, 1),
        ("contact.accepted", True, 1),
        ("contact.declined", False, 2),
        ("contact.assigned", False, 2),
        ("contact.accepted", True, 2),
        ("contact.resolved", True, 2),
    ]
