"""The webhook of an operator gets signed events of that operator, and private addresses are refused."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks import Webhook

from core.changes.models import Change
from notifications.messenger import own_webhooks
from notifications.messenger.models import Channel, Notice
from tests import characters

SECRET = "whsec_" + "A" * 44


class Receiver(ThreadingHTTPServer):
    def __init__(self):
        self.received, self.status = [], 200
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver(settings):
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def anna(courier, receiver):
    operator = characters.operator("Anna")
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    Channel.objects.create(operator=operator, kind="webhook", address=url, secret=SECRET)
    return operator


def test_the_event_is_signed(courier, receiver, anna):
    contact = characters.contact(characters.source(roster={anna: 10}))
    courier.deliver()
    [(headers, body)] = receiver.received
    names = {name.lower(): value for name, value in headers.items()}
    assert Webhook(SECRET).verify(body, names) == json.loads(body)
    assert (json.loads(body)["type"], json.loads(body)["data"]["id"]) == ("contact.assigned", contact.pk)


def test_it_is_sent_again_under_the_same_id(courier, receiver, anna):
    receiver.status = 500
    characters.contact(characters.source(roster={anna: 10}))
    courier.deliver()
    receiver.status = 204
    courier.deliver_now()
    ids = {headers.get("webhook-id") for headers, _body in receiver.received}
    assert (len(receiver.received), len(ids)) == (2, 1)


def test_an_address_that_is_gone_is_switched_off(courier, receiver, anna):
    receiver.status = 410
    characters.contact(characters.source(roster={anna: 10}))
    courier.deliver()
    assert not Channel.objects.get().is_active
    switched_off = Change.objects.get(what="operator.channels", operator_id=anna.pk)
    assert (switched_off.via, switched_off.reason) == ("rule", "410 status")


def test_a_private_address_is_refused(courier, receiver, anna, settings):
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    characters.contact(characters.source(roster={anna: 10}))
    courier.deliver()
    assert receiver.received == []
    assert "private_address" in Notice.objects.get().error


def test_a_slow_address_gets_the_rest_after_the_lease_was_given_back(courier, receiver, anna, monkeypatch):
    monkeypatch.setattr(own_webhooks, "ENOUGH", 0)
    bot = characters.source(roster={anna: 10})
    for _ in range(3):
        characters.contact(bot)
    courier.notice()
    courier.senders.send_due()
    courier.senders.wait()
    assert len(receiver.received) == 1
    assert Notice.objects.due().count() == 2
