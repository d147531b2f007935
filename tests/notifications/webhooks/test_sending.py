"""One request to a foreign address ends in time, reads little, and never reaches a private network."""

import time

import pytest

from notifications.models import Attempt
from notifications.webhooks import sending
from tests.notifications.webhooks import endpoints

Error = Attempt.Error
BRIEF = 1.0  # seconds

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    monkeypatch.setattr(sending, "TIMEOUT", BRIEF)


def post(url):
    return sending.post(url, body=b"{}", headers={"Content-Type": "application/json"})


def test_any_2xx_accepts_it():
    with endpoints.serving(204) as bot:
        answer = post(bot.url)
    assert (answer.status, answer.error) == (204, None)


def test_the_answer_is_kept_for_people():
    with endpoints.serving(500) as bot:
        answer = post(bot.url)
    assert (answer.status, answer.error, answer.text) == (500, Error.STATUS, "thank you")


def test_the_header_host_names_the_port():
    with endpoints.serving() as bot:
        post(bot.url)
    assert f"http://{bot.received[0].headers['Host']}/hook" == bot.url


def test_connections_are_used_again():
    with endpoints.serving() as bot:
        answers = [post(bot.url) for _ in range(3)]
    assert [answer.error for answer in answers] == [None] * 3


def test_a_redirect_is_not_followed():
    with endpoints.serving() as private, endpoints.serving(307) as bot:
        bot.location = private.url
        answer = post(bot.url)
    assert (answer.error, private.received) == (Error.REDIRECT, [])


def seconds_of(url):
    began = time.monotonic()
    answer = post(url)
    return answer, time.monotonic() - began


def test_an_endpoint_that_hangs_is_left():
    with endpoints.misbehaving(endpoints.hang) as url:
        answer, seconds = seconds_of(url)
    assert answer.error == Error.TIMEOUT
    assert seconds < 4 * BRIEF


def test_an_answer_byte_by_byte_is_left(monkeypatch):
    monkeypatch.setattr(sending, "CONNECT_TIMEOUT", 0.5)
    with endpoints.misbehaving(endpoints.drip(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000)) as url:
        answer, seconds = seconds_of(url)
    assert answer.error == Error.TIMEOUT
    assert seconds < 6 * BRIEF


def test_a_body_byte_by_byte_holds_nobody_up(monkeypatch):
    """The status says that it was accepted."""
    monkeypatch.setattr(sending, "ANSWER_TIMEOUT", 0.5)
    with endpoints.misbehaving(endpoints.drip_body) as url:
        answer, seconds = seconds_of(url)
    assert (answer.status, answer.error) == (200, None)
    assert seconds < 4 * BRIEF


def test_of_a_long_answer_only_the_beginning_is_read():
    with endpoints.misbehaving(endpoints.huge) as url:
        answer = post(url)
    assert (answer.status, answer.text) == (200, "x" * 200)


def with_nul(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok\x00!\n")


def test_an_answer_with_nul_can_be_stored():
    """PostgreSQL refuses NUL in a text, and with it the results of all other deliveries."""
    with endpoints.misbehaving(with_nul) as url:
        assert post(url).text == "ok\ufffd!\n"


def test_rubbish_is_no_answer():
    with endpoints.misbehaving(endpoints.rubbish) as url:
        assert post(url).error == Error.BROKEN_ANSWER


def test_nobody_listens():
    with endpoints.serving() as bot:
        pass
    assert post(bot.url).error == Error.UNREACHABLE


def test_a_name_that_does_not_exist():
    assert post("http://nobody.invalid/hook").error == Error.UNKNOWN_HOST


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0"])
def test_private_addresses_are_refused_when_they_are_connected_to(host, settings):
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    with endpoints.serving() as private:
        port = private.url.split(":")[2]
        answer = post(f"http://{host}:{port}")
    assert (answer.error, private.received) == (Error.PRIVATE_ADDRESS, [])


def test_a_name_that_changes_its_address_is_refused(settings, monkeypatch):
    """DNS answers with a public address first, and with one of this machine at the next request."""
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    asked = []

    def resolve(host, *_, **__):
        asked.append(host)
        return [(2, 1, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    with endpoints.serving() as private:
        port = private.url.split(":")[2]
        answer = post(f"http://bot.example.com:{port}")
    assert (answer.error, private.received, asked) == (Error.PRIVATE_ADDRESS, [], ["bot.example.com"])
