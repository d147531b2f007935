"""Pages of webhooks: the secret is seen once, a test shows what came back, and a delivery can be sent again."""

import pytest

from accounts.roles import ADMINISTRATOR, SUPERVISOR
from notifications.models import Attempt, Delivery, Webhook
from notifications.webhooks import actions, sending
from tests.accounts import people
from tests.admin import pages
from tests.notifications.webhooks import endpoints


@pytest.fixture(autouse=True)
def local(settings):
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    sending.close_session()
    yield
    sending.close_session()


@pytest.fixture
def webhook(db):
    return actions.create_webhook(url="https://bot.example.com/hook")


def add(client, **fields):
    return client.post(pages.adding(Webhook), {"url": "https://bot.example.com/hook", "source": ""} | fields)


def test_a_webhook_is_made_and_its_secret_is_seen_once(supervisor):
    response = add(supervisor, types=["contact.assigned"])
    webhook = Webhook.objects.get()
    assert webhook.secret in response.text
    assert webhook.types == ["contact.assigned"]
    later = [supervisor.get(url).text for url in (pages.listing(Webhook), pages.page(webhook), "/admin/")]
    assert webhook.secret not in str([later, supervisor.cookies, dict(supervisor.session)])


def test_a_private_address_is_refused_on_the_page(supervisor, settings):
    settings.WEBHOOK_PRIVATE_NETWORKS = []
    response = add(supervisor, url="http://127.0.0.1/hook")
    assert response.context["adminform"].form.errors["url"]
    assert not Webhook.objects.exists()


def test_a_webhook_is_changed_by_its_page(supervisor, webhook):
    supervisor.post(
        pages.page(webhook),
        {"url": "https://bot.example.com/new", "source": "", "is_active": "", "initial-is_active": "True"},
    )
    webhook.refresh_from_db()
    assert (webhook.url, webhook.is_active) == ("https://bot.example.com/new", False)


def test_a_test_shows_what_came_back(supervisor):
    with endpoints.serving(503) as endpoint:
        webhook = actions.create_webhook(url=endpoint.url)
        response = pages.press(supervisor, webhook, "test_this")
        said = pages.said(response) or pages.said(supervisor.get(pages.listing(Webhook)))
    assert "thank you" in str(said)
    assert "503" in str(said)


def test_it_says_why_it_was_switched_off(supervisor, webhook):
    Webhook.objects.update(is_active=False, disabled_reason="gone")
    assert "410" in supervisor.get(pages.page(webhook)).text


def test_a_delivery_shows_its_attempts_and_is_sent_again(supervisor, webhook):
    delivery = Delivery.objects.create(
        webhook=webhook, event_id=8, type="contact.assigned", ended_at=webhook.created_at
    )
    Attempt.objects.create(delivery=delivery, at=webhook.created_at, status=500, duration_ms=12, answer="no room")
    assert "no room" in supervisor.get(pages.page(delivery)).text
    pages.press(supervisor, delivery, "repeat_this")
    delivery.refresh_from_db()
    assert delivery.status == Delivery.Status.PENDING


def test_a_new_secret_replaces_the_old_one_after_a_question(supervisor, webhook):
    url = pages.button(webhook, "rotate_this")
    assert supervisor.get(url).status_code == 200
    assert Webhook.objects.get().secret == webhook.secret
    response = supervisor.post(url, {})
    assert Webhook.objects.get().secret in response.text


def test_events_are_sent_again_since_a_moment(supervisor, webhook):
    supervisor.post(pages.button(webhook, "replay_this"), {"since_0": "2026-11-01", "since_1": "10:00"})
    assert webhook.replays.count() == 1


def test_a_webhook_is_deleted(supervisor, webhook):
    pages.press(supervisor, webhook, "remove_this")
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(("role", "may"), [(SUPERVISOR, False), (ADMINISTRATOR, True)])
def test_only_administrators_change_webhooks(db, role, may):
    user = people.account("vera", role)
    assert user.has_perms(["notifications.view_webhook", "notifications.change_delivery"])
    assert user.has_perm("notifications.change_webhook") == may
