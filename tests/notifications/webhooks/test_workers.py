"""Workers share deliveries, die, and lose their database: nothing is lost, and nothing is sent twice without need."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from notifications import worker
from notifications.models import Attempt, Delivery, Webhook
from notifications.webhooks import claims, fan_out
from notifications.webhooks.sender import Sender
from tests import characters
from tests.concurrency.threads import together
from tests.notifications.messenger.courier import wait_until_settled
from tests.notifications.webhooks.conftest import deliver
from tests.notifications.webhooks.running import Running
from tests.service.running import PROJECT, this_database, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def ids(endpoint):
    return [request.headers["webhook-id"] for request in endpoint.received]


@pytest.fixture
def process():
    """A worker in a process of its own."""
    env = os.environ | {
        "DATABASE_URL": this_database(),
        "WEBHOOK_PRIVATE_NETWORKS": "127.0.0.0/8",
        "SECRET_KEY": django_settings.SECRET_KEY,
    }
    running = subprocess.Popen([sys.executable, "manage.py", "deliver", "--loop"], cwd=PROJECT, env=env)
    yield running
    running.kill()
    running.wait()


def test_what_a_killed_worker_was_sending_is_sent_again_with_the_same_id(bot, webhook, endpoint, process):
    never = threading.Event()
    endpoint.choose = lambda request: 200 if never.wait(60) else 500
    characters.contact(bot)
    [sent] = endpoint.wait_for(1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    endpoint.choose = None
    never.set()
    deliver()
    assert ids(endpoint) == [sent.headers["webhook-id"]]  # its lease has not ended yet
    Delivery.objects.update(leased_until=timezone.now())
    deliver()
    assert ids(endpoint)[:2] == [sent.headers["webhook-id"]] * 2
    assert not Delivery.objects.pending().exists()


def test_a_worker_that_is_stopped_gives_back_what_it_has_not_sent(bot, webhook, endpoint, process):
    answering = threading.Event()
    endpoint.choose = lambda request: 200 if answering.wait(60) else 500
    for _ in range(5):
        characters.contact(bot)
    endpoint.wait_for(1)
    process.send_signal(signal.SIGTERM)
    answering.set()
    assert process.wait(60) == 0
    assert not Delivery.objects.pending().filter(leased_until__isnull=False).exists()
    deliver()
    assert len(ids(endpoint)) == len(set(ids(endpoint))) == 10


@pytest.mark.postgresql
def test_two_workers_share_the_work_without_doubling(bot, webhook, endpoint):
    with Running(), Running():
        contacts = [characters.contact(bot).pk for _ in range(40)]
        endpoint.wait_for(80)
    assert len(ids(endpoint)) == len(set(ids(endpoint))) == 80
    for pk in contacts:
        of_contact = [body["type"] for body in map(body_of, endpoint.received) if body["data"]["id"] == pk]
        assert of_contact == ["contact.registered", "contact.assigned"]


def body_of(request):
    return json.loads(request.body)


@pytest.mark.postgresql
def test_a_page_of_the_feed_that_two_workers_read_gives_one_delivery_for_each_event(bot, webhook):
    """The second one finds that the position has moved."""
    characters.contact(bot)
    together(fan_out.fan_out_page, fan_out.fan_out_page)
    assert Delivery.objects.count() == 2


@pytest.mark.postgresql
def test_a_claimed_delivery_is_claimed_by_no_other_worker(bot, webhook):
    for _ in range(10):
        characters.contact(bot)
    fan_out.fan_out_page()
    claimed = together(*[lambda: claims.claim_deliveries(webhook, count=100)] * 4)
    keys = [delivery.pk for each in claimed for delivery in each]
    assert len(keys) == len(set(keys)) == 10  # of each contact the first


@pytest.mark.postgresql
def test_connections_that_break_in_the_middle_lose_nothing(bot, webhook, endpoint, monkeypatch):
    monkeypatch.setattr(worker, "AFTER_FAILURE", 0.2)
    with Running():
        for _ in range(30):
            characters.contact(bot)
        for count in (5, 20, 40):
            endpoint.wait_for(count)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
        endpoint.wait_for(60)
        wait_until(lambda: not Delivery.objects.pending().exists(), "every delivery is noted")
    assert set(ids(endpoint)) == {f"evt_{pk}" for pk in Delivery.objects.values_list("event_id", flat=True)}
    assert Attempt.objects.filter(error__isnull=False).count() == 0


def due(bot, webhook, *, contacts):
    for _ in range(contacts):
        characters.contact(bot)
    fan_out.fan_out_page()
    webhook.refresh_from_db()


def test_a_backlog_after_an_outage_goes_out_at_the_pace_of_the_setting(bot, webhook, settings):
    settings.WEBHOOK_CATCH_UP_RATE = 20
    Webhook.objects.update(catching_up_since=timezone.now())
    due(bot, webhook, contacts=6)
    assert len(claims.claim_deliveries(webhook, count=100)) == 4  # of a fifth of a second
    assert claims.claim_deliveries(webhook, count=100) == []
    Webhook.objects.update(next_claim_at=timezone.now())
    assert len(claims.claim_deliveries(webhook, count=100)) == 2
    webhook.refresh_from_db()
    assert webhook.catching_up_since is None


def test_an_address_that_fails_and_fails_is_tried_once_a_second(bot, webhook):
    Webhook.objects.update(failures=claims.HOPELESS, failing_since=timezone.now())
    due(bot, webhook, contacts=3)
    assert len(claims.claim_deliveries(webhook, count=100)) == 1
    assert claims.claim_deliveries(webhook, count=100) == []
    webhook.refresh_from_db()
    assert webhook.next_claim_at - timezone.now() <= timedelta(seconds=1)


def test_a_lease_that_another_worker_may_have_by_now_is_not_given_back(bot, webhook):
    characters.contact(bot)
    wait_until_settled()
    fan_out.run()
    slow = Sender()
    slow.claim()
    [lane] = slow.lanes.values()
    lane.jobs = deque(replace(job, send_before=0.0) for job in lane.jobs)
    assert lane.jobs
    slow.finish()
    assert Delivery.objects.filter(leased_until__isnull=False).exists()
