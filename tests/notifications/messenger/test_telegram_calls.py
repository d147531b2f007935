"""What Telegram answers is understood, and the token of the bot is in no error and no log."""

import logging
import socket

import pytest

from notifications.messenger import telegram
from notifications.messenger.telegram import TelegramError
from tests.notifications.messenger.fake_telegram import TOKEN, Refused


def failure(method="getMe", **parameters):
    with pytest.raises(TelegramError) as caught:
        telegram.call(method, **parameters)
    return caught.value


@pytest.fixture(name="server")
def server_with_chat(request):
    server = request.getfixturevalue("telegram")
    server.chats[7] = {}
    return server


def test_a_result_is_returned(server):
    assert telegram.call("sendMessage", chat_id=7, text="Hello")["text"] == "Hello"


def test_too_many_calls_say_when_to_try_again(server):
    server.fail_next("getMe", Refused(429, "Too Many Requests: retry after 3", retry_after=3))
    assert failure().retry_after == 3


def test_a_blocked_bot_can_send_nothing_more(server):
    server.blocked.add(7)
    error = failure("sendMessage", chat_id=7, text="Hello")
    assert error.is_gone
    assert failure("sendMessage", chat_id=8, text="Hello").is_gone


def test_an_answer_that_is_lost_may_have_been_carried_out(server):
    server.fail_next("sendMessage", "lost")
    error = failure("sendMessage", chat_id=7, text="Hello")
    assert error.code is None
    assert not error.is_final
    assert len(server.messages(7)) == 1


def test_a_wrong_token_is_refused_and_not_repeated(server, settings):
    settings.TELEGRAM_BOT_TOKEN = "666:wrong"
    assert failure().code == 401


def test_the_token_is_in_no_error_and_no_log(settings, caplog):
    settings.TELEGRAM_BOT_TOKEN = TOKEN
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.TELEGRAM_API_URL = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with caplog.at_level(logging.DEBUG):
        error = failure()
        logging.getLogger("notifications").exception("failed", exc_info=error)
    assert "cannot be reached" in str(error)
    assert TOKEN not in caplog.text
