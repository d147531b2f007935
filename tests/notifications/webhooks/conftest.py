import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from notifications.models import Delivery, Webhook
from notifications.webhooks import actions, fan_out, sending
from notifications.webhooks.sender import Sender
from notifications.worker import Loop, run_until_idle
from routing.models import Source
from tests import characters
from tests.notifications.webhooks import endpoints


@pytest.fixture(autouse=True)
def local(settings) -> Iterator[None]:
    """The endpoints of tests are on this machine."""
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    sending.close_session()
    yield
    sending.close_session()


@pytest.fixture
def endpoint() -> Iterator[endpoints.Endpoint]:
    with endpoints.serving() as one:
        yield one


@pytest.fixture
def bot() -> Source:
    return characters.source(roster={characters.operator("Anna", limit=100): 1})


@pytest.fixture
def webhook(endpoint) -> Webhook:
    return actions.create_webhook(url=endpoint.url)


def deliver() -> None:
    """What `manage.py deliver` does, of webhooks."""
    sender = Sender()
    run_until_idle([Loop("fan_out", fan_out.run, 1), Loop("send", sender.run_round, 1, finish=sender.finish)])
    connections["default"].ensure_connection()


def told(endpoint: endpoints.Endpoint, name: str = "type") -> list[Any]:
    return [json.loads(request.body)[name] for request in endpoint.received]


def make_due() -> None:
    """As if the time until the next attempt had passed."""
    Delivery.objects.pending().update(next_at=timezone.now())
