"""What Telegram refuses is tried again, given up, or switches the channel off, and is listed with the reason."""

from datetime import timedelta
from functools import partial
from itertools import pairwise

import pytest
from django.utils import timezone

from notifications.messenger import state
from notifications.messenger.models import Channel, Notice
from routing import lifecycle
from tests import characters
from tests.concurrency.threads import closing
from tests.notifications.messenger.courier import labels, last_message, link
from tests.notifications.messenger.fake_telegram import Refused

ANNA, BORIS = 1001, 1002


@pytest.fixture
def server(courier):
    return courier.server


@pytest.fixture
def anna(courier):
    operator = characters.operator("Anna")
    link(courier.server, operator, ANNA)
    return operator


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


def shown_by_api(api, operator):
    return [one["status"] for one in api.get(f"/api/v1/operators/{operator.pk}/notifications").json()["results"]]


def test_what_telegram_could_not_take_is_tried_again(courier, server, bot, anna, api):
    server.fail_next("sendMessage", Refused(502, "Bad Gateway"))
    characters.contact(bot)
    courier.deliver()
    notice = Notice.objects.get()
    assert (notice.state, notice.attempts, notice.error) == ("pending", 1, "502: Bad Gateway")
    assert notice.due_at
    assert timedelta(seconds=3) < notice.due_at - timezone.now() <= timedelta(seconds=5)
    courier.deliver_now()
    assert len(server.messages(ANNA)) == 1
    assert shown_by_api(api, anna) == ["sent"]


def test_nothing_is_sent_before_telegram_allows_it(courier, server, bot):
    server.fail_next("sendMessage", Refused(429, "Too Many Requests: retry after 30", retry_after=30))
    characters.contact(bot)
    courier.deliver()
    notice = Notice.objects.get()
    assert (notice.state, notice.attempts) == ("pending", 0)
    calls = len(server.calls)
    courier.deliver_now()
    assert len(server.calls) == calls
    assert 25 < state.seconds_paused(state.read_state()) <= 30


def test_a_blocked_chat_is_switched_off(courier, server, bot, anna, api):
    server.blocked.add(ANNA)
    characters.contact(bot)
    courier.deliver()
    channel = Channel.objects.get()
    assert not channel.is_active
    assert "blocked" in channel.off_reason
    assert shown_by_api(api, anna) == ["failed"]
    characters.contact(bot)
    courier.deliver()
    assert Notice.objects.count() == 1


def test_one_blocked_chat_holds_up_no_other(courier, server, bot, anna):
    boris = characters.operator("Boris")
    link(server, boris, BORIS)
    server.blocked.add(ANNA)
    characters.contact(bot)
    characters.contact(characters.source(roster={boris: 10}))
    courier.deliver()
    assert len(server.messages(BORIS)) == 1


def test_what_is_refused_for_good_has_failed(courier, server, bot, anna, api):
    server.fail_next("sendMessage", Refused(400, "Bad Request: can't parse entities"))
    characters.contact(bot)
    courier.deliver()
    assert shown_by_api(api, anna) == ["failed"]
    assert Channel.objects.get().is_active


def test_after_a_day_it_is_given_up(courier, server, bot):
    server.fail_next("sendMessage", Refused(502, "Bad Gateway"), Refused(502, "Bad Gateway"))
    characters.contact(bot)
    courier.deliver()
    Notice.objects.update(created_at=timezone.now() - timedelta(hours=25))
    courier.deliver_now()
    assert Notice.objects.get().state == "failed"


def test_a_message_that_says_it_already_is_no_failure(courier, server, bot):
    contact = characters.contact(bot)
    courier.deliver()
    server.fail_next("editMessageText", "lost")
    lifecycle.resolve_contact(contact_id=contact.pk)
    courier.deliver()
    courier.deliver_now()  # Telegram answers that the message is not modified
    notice = Notice.objects.get()
    assert (notice.state, notice.error, notice.due_at) == ("sent", "", None)
    assert [call[3] for call in server.calls if call[1] == "editMessageText"] == [200, 400]


def test_a_message_that_the_person_has_deleted_stays_sent(courier, server, bot):
    contact = characters.contact(bot)
    courier.deliver()
    server.chats[ANNA].clear()
    lifecycle.resolve_contact(contact_id=contact.pk)
    courier.deliver()
    assert (Notice.objects.get().state, Notice.objects.get().due_at) == ("sent", None)


def test_a_change_while_the_message_is_being_sent_is_not_missed(courier, server, bot, monkeypatch):
    contact = characters.contact(bot)
    send = server.send_message

    def resolve_meanwhile(given):
        closing(partial(lifecycle.resolve_contact, contact_id=contact.pk))
        closing(courier.notice)
        return send(given)

    monkeypatch.setattr(server, "send_message", resolve_meanwhile)
    courier.deliver()
    assert labels(last_message(server, ANNA)) == []


def test_in_quiet_hours_nothing_is_sent_and_afterwards_only_what_is_true(courier, server, bot, anna):
    now = timezone.localtime()
    begins, ends = (now - timedelta(hours=1)).time(), (now + timedelta(hours=1)).time()
    Channel.objects.update(quiet_from=begins, quiet_to=ends)
    done, waiting = characters.contact(bot), characters.contact(bot)
    courier.deliver()
    assert server.messages(ANNA) == []
    lifecycle.resolve_contact(contact_id=done.pk)
    Channel.objects.update(quiet_from=None, quiet_to=None)
    courier.deliver_now()
    [message] = server.messages(ANNA)
    assert f"New contact {waiting.pk}" in message["text"]


def test_a_chat_gets_no_more_than_one_message_a_second(courier, server, bot):
    for _ in range(3):
        characters.contact(bot)
    courier.deliver()
    moments = [moment for moment, method, _given, _code in server.calls if method == "sendMessage"]
    assert all(later - earlier > 0.95 for earlier, later in pairwise(moments))


def test_without_a_bot_messages_wait(courier, server, bot, settings):
    settings.TELEGRAM_BOT_TOKEN = ""
    characters.contact(bot)
    courier.notice()
    courier.senders.send_due()
    courier.senders.wait()
    assert server.calls == []
    assert Notice.objects.get().state == "pending"
