"""Several workers share messages; one that is killed between sending and noting it loses none."""

from datetime import timedelta

import pytest
from django.utils import timezone

from notifications.messenger import fan_out, leases, sending, state, telegram_messages
from notifications.messenger.models import Channel, MessengerState, Notice
from notifications.messenger.pace import Pace
from tests import characters
from tests.concurrency.threads import together
from tests.notifications.messenger.conftest import courier, telegram  # noqa: F401 # fixtures

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

CHATS = range(1001, 1021)


@pytest.fixture
def told(courier):  # noqa: F811
    """Twenty operators with a contact each, and a notice of it."""
    for chat_id in CHATS:
        operator = characters.operator(f"Operator {chat_id}")
        courier.server.chats[chat_id] = {}
        Channel.objects.create(operator=operator, kind="telegram", address=str(chat_id))
        characters.contact(characters.source(roster={operator: 10}))
    return courier


def messages(courier):  # noqa: F811
    return [len(courier.server.messages(chat_id)) for chat_id in CHATS]


def test_events_become_notices_once_whoever_reads_them(told):
    told.notice()
    MessengerState.objects.update(cursor="0")  # reads them all again, which stores none twice
    together(*[fan_out.fan_out_notices] * 4)
    assert Notice.objects.count() == len(CHATS)


def test_two_workers_send_each_message_once(told):
    told.notice()
    channels = list(Channel.objects.select_related("operator", "user"))

    def serve_all():
        for channel in channels:
            sending.serve_channel(channel, Pace(sleep=lambda seconds: None))

    together(serve_all, serve_all)
    assert messages(told) == [1] * len(CHATS)


def test_without_the_lease_both_send_it(told):
    """The control: the test above can fail."""
    told.notice()
    for channel in Channel.objects.select_related("operator", "user"):
        due = Notice.objects.due().filter(channel=channel)
        for seen_by_a_worker in (list(due), list(due)):
            telegram_messages.send_one(channel, seen_by_a_worker, Pace(sleep=lambda seconds: None))
    assert messages(told) == [2] * len(CHATS)


def test_a_killed_worker_leaves_its_messages_to_another(told):
    told.notice()
    for channel in Channel.objects.all():
        leases.claim_notices(channel)  # and is killed here
    told.deliver()
    assert messages(told) == [0] * len(CHATS)
    Notice.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    told.deliver()
    assert messages(told) == [1] * len(CHATS)


def test_one_worker_at_a_time_serves_the_bot(told, monkeypatch):
    assert state.hold_bot()
    monkeypatch.setattr(state, "PROCESS", "another worker")
    assert not state.hold_bot()
    MessengerState.objects.update(held_until=timezone.now())  # the first was killed
    assert state.hold_bot()


def test_a_lease_from_the_future_is_not_waited_for(told, monkeypatch):
    state.hold_bot()
    MessengerState.objects.update(held_until=timezone.now() + timedelta(days=1))  # the clock was set back
    monkeypatch.setattr(state, "PROCESS", "another worker")
    assert state.hold_bot()
