"""Supervisors are told of each alarm once, and once when it is over."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.roles import OPERATOR, SUPERVISOR
from notifications.messenger import alarms
from notifications.messenger.models import Alarm, Channel, Notice
from notifications.models import Webhook
from operators.models import Operator
from routing import lifecycle, operator_actions, time_outs
from routing.models import Contact, ContactEvent, Source
from routing.report import unusual
from tests import characters
from tests.accounts import people

VERA, ANNA = 2001, 1001


@pytest.fixture
def vera(courier):
    """A supervisor with a chat."""
    user = people.account("vera", SUPERVISOR)
    courier.server.chats[VERA] = {}
    Channel.objects.create(user=user, kind="telegram", address=str(VERA))
    return user


class Watch:
    """The worker looks for alarms at moments that follow each other."""

    def __init__(self, courier):
        self.courier, self.now = courier, timezone.now()

    def look(self, *, seconds=0):
        self.now += timedelta(seconds=seconds)
        alarms.update_alarms(self.now)
        Notice.objects.filter(due_at__isnull=False).update(due_at=timezone.now())
        self.courier.deliver()

    def look_twice(self):
        """And again after a minute, which is how long some alarms have to last."""
        for seconds in (10, 60):
            self.look(seconds=seconds)

    @property
    def told(self):
        return [message["text"] for message in self.courier.server.messages(VERA)]


@pytest.fixture
def watch(courier, vera):
    return Watch(courier)


def test_a_contact_that_waits_too_long_is_told_once_and_when_it_is_over(watch):
    anna = characters.operator("Anna", is_active=False)
    characters.contact(characters.source("Bot", roster={anna: 10}))
    early = timezone.now() - timedelta(minutes=11)
    Contact.objects.update(created_at=early)
    ContactEvent.objects.update(at=early)
    for _ in range(3):
        watch.look()
    assert [text for text in watch.told if "waiting for more than 10 minutes" in text] == watch.told[:1]
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": True})
    watch.look()
    watch.look()
    assert "Over. Source Bot: nobody waits too long any more" in watch.told[1]
    assert len(watch.told) == 2


def test_a_contact_that_has_just_come_back_to_the_queue_does_not_wait_long(watch):
    anna = characters.operator("Anna", is_active=False)
    contact = characters.contact(characters.source("Bot", roster={anna: 10}))
    Contact.objects.filter(pk=contact.pk).update(created_at=timezone.now() - timedelta(days=1))
    watch.look()
    assert watch.told == []


def test_a_source_that_nobody_on_duty_serves(watch):
    anna = characters.operator("Anna", is_active=False)
    characters.source("Bot", roster={anna: 10})
    watch.look_twice()
    Operator.objects.update(is_active=True)
    watch.look_twice()
    assert [text.split(":")[0] for text in watch.told] == ["<b>Source Bot", "<b>Over. Source Bot"]


def test_everybody_is_full_for_a_minute(watch):
    anna = characters.operator("Anna", limit=1)
    characters.contact(characters.source(roster={anna: 10}))
    watch.look()
    assert watch.told == []
    watch.look_twice()
    assert watch.told == ["<b>Everybody on duty is at the limit</b>"]


def test_what_lasts_less_than_a_minute_is_not_told(watch):
    anna = characters.operator("Anna", limit=1)
    characters.contact(characters.source(roster={anna: 10}))
    watch.look()
    Operator.objects.update(max_load=2)
    watch.look(seconds=61)
    assert watch.told == []
    assert not Alarm.objects.exists()


def test_a_channel_that_was_switched_off_is_told(watch):
    anna = characters.operator("Anna")
    Channel.objects.create(operator=anna, kind="email", address="x@example.com", is_active=False, off_reason="550")
    watch.look()
    watch.look()
    [text] = watch.told
    assert "Anna" in text
    assert "550" in text


def test_a_webhook_that_was_switched_off_is_told_and_one_that_a_person_has_switched_off_is_not(watch):
    Webhook.objects.create(url="https://example.com/gone", secret="s", is_active=False, disabled_reason="gone")
    Webhook.objects.create(url="https://example.com/by-hand", secret="s", is_active=False)
    watch.look()
    [text] = watch.told
    assert "example.com/gone" in text


class TestTimeOuts:
    @pytest.fixture
    def anna(self):
        return characters.operator("Anna")

    @pytest.fixture
    def missed(self, anna):
        """A contact that Anna, the only one on the roster, has not taken in time."""
        contact = characters.contact(characters.source("Bot", roster={anna: 10}))
        Source.objects.update(accept_within=60, off_duty_after_missed=1)
        Contact.objects.update(due_at=timezone.now())
        time_outs.time_out_due(timezone.now())
        return contact

    def test_a_contact_to_which_nobody_reacted_is_told(self, watch, missed, anna):
        watch.look()
        waits = "<b>Source Bot: nobody has reacted to 1 contact, which waits for a supervisor</b>"
        away = "<b>Anna is off duty now: too many contacts in a row were not taken in time</b>"
        assert sorted(watch.told) == sorted([waits, away])

    def test_and_when_somebody_has_it(self, watch, missed, anna):
        watch.look()
        lifecycle.force_contact(contact_id=missed.pk, operator_id=anna.pk)
        operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": True})
        watch.look()
        assert sorted(watch.told)[1:3] == [
            "<b>Over. Anna is on duty again, or has left</b>",
            "<b>Over. Source Bot: somebody has every contact to which nobody had reacted</b>",
        ]

    def test_who_went_off_duty_by_hand_has_missed_nothing(self, watch, anna):
        operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False})
        watch.look()
        assert watch.told == []


def test_what_check_routing_finds_is_told(watch):
    Operator.objects.filter(pk=characters.operator("Anna").pk).update(current_load=3)
    watch.look()
    assert "check_routing found 1 inconsistency" in watch.told[0]
    Operator.objects.update(current_load=0)
    watch.look(seconds=60)
    assert len(watch.told) == 1
    watch.look(seconds=3600)
    assert "check_routing finds nothing" in watch.told[1]


def test_an_alarm_that_is_over_before_it_was_sent_is_not_sent(watch, courier):
    channel = Channel.objects.create(
        operator=characters.operator("Anna"), kind="email", address="x@example.com", is_active=False, off_reason="550"
    )
    alarms.update_alarms(watch.now)
    channel.delete()
    watch.look()
    assert watch.told == []
    assert {notice.state for notice in Notice.objects.all()} == {"skipped"}


def test_who_does_not_supervise_any_more_is_told_nothing(watch, vera):
    vera.groups.clear()
    people.account("anna", OPERATOR)
    Channel.objects.create(
        operator=characters.operator("Anna"), kind="email", address="x@example.com", is_active=False, off_reason="550"
    )
    watch.look()
    assert watch.told == []


def test_a_clock_that_is_set_back_begins_no_alarm_twice(watch):
    Webhook.objects.create(url="https://example.com/gone", secret="s", is_active=False, disabled_reason="gone")
    watch.look()
    watch.look(seconds=-7200)
    watch.look()
    assert len(watch.told) == 1


def test_what_is_much_worse_than_usual_is_told_in_a_sentence_with_the_numbers(watch, monkeypatch):
    monkeypatch.setattr(unusual, "slow_sources", lambda now: [unusual.Unusual(1, "Bot", 720.0, 300.0)])
    monkeypatch.setattr(unusual, "missing_operators", lambda now: [unusual.Unusual(2, "Anna", 7, 1.25)])
    for _ in range(3):
        watch.look(seconds=10)
    assert watch.told == [
        "<b>Source Bot: in the last full hour nine in ten clients waited up to 12\xa0min, usually 5\xa0min</b>",
        "<b>Anna has missed 7 offers in 24 hours, usually 1.2</b>",
    ]
    monkeypatch.setattr(unusual, "slow_sources", lambda now: [])
    watch.look(seconds=3600)
    assert watch.told[2:] == ["<b>Over. Source Bot: waits are as usual again</b>"]
