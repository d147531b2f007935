"""Webhooks over HTTP: by management keys, with the secret in one answer only."""

import pytest

from core.changes.models import Change
from notifications.models import Attempt, Delivery, Webhook
from notifications.webhooks import actions, sending
from tests import characters
from tests.access import callers
from tests.notifications.webhooks import endpoints

BOT = "https://bot.example.com/crm"


@pytest.fixture(autouse=True)
def local(settings):
    settings.WEBHOOK_PRIVATE_NETWORKS = ["127.0.0.0/8"]
    sending.close_session()
    yield
    sending.close_session()


@pytest.fixture
def webhook(db):
    return actions.create_webhook(url=BOT)


def test_the_secret_is_in_the_answer_to_the_creation_and_in_no_other(api):
    created = api.post("/api/v1/webhooks", {"url": BOT})
    path = f"/api/v1/webhooks/{created.data['id']}"
    assert created.status_code == 201
    assert created.data["secret"].startswith("whsec_")
    assert "Location" not in created  # which would be that of the webhook, not of the customer's program
    others = [api.get(path), api.get("/api/v1/webhooks"), api.patch(path, {"with_message": True})]
    assert [response.status_code for response in others] == [200, 200, 200]
    assert not any("whsec_" in response.text for response in others)


def test_what_is_not_given_has_a_default(api):
    created = api.post("/api/v1/webhooks", {"url": BOT}).data
    assert [created[name] for name in ("types", "source_id", "with_message", "is_active")] == [None, None, False, True]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "bot.example.com",
        "ftp://bot.example.com",
        "https://",
        "https://user:password@bot.example.com",
        "https://bot.example.com:port/",
        "https://bot.example.com/ space",
        "https://bot.example.com/line\nbreak",
        "https://bot.exam\tple.com/",
        "https://" + "x" * 1000,
        "http://[::1",
    ],
)
def test_an_address_that_cannot_be_called_is_refused(api, url):
    response = api.post("/api/v1/webhooks", {"url": url})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "url")
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.1.2.3", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "0.0.0.0"]
)
def test_a_private_address_is_refused_unless_the_setting_names_its_network(api, settings, host):
    settings.WEBHOOK_PRIVATE_NETWORKS = ["192.168.0.0/16"]
    response = api.post("/api/v1/webhooks", {"url": f"http://{host}/hook"})
    assert (response.status_code, response.json()["errors"][0]["code"]) == (400, "private_address")
    assert api.post("/api/v1/webhooks", {"url": "http://192.168.3.4/hook"}).status_code == 201


def test_an_address_of_ipv6_may_have_a_port(api, settings):
    settings.WEBHOOK_PRIVATE_NETWORKS = ["::1/128"]
    assert api.post("/api/v1/webhooks", {"url": "http://[::1]:8080/hook"}).status_code == 201


@pytest.mark.parametrize("types", [[], ["contact.unknown"], "contact.assigned", [1], [None]])
def test_unknown_types_are_refused(api, types):
    assert api.post("/api/v1/webhooks", {"url": BOT, "types": types}).status_code == 400
    assert not Webhook.objects.exists()


def test_an_unknown_source_is_refused(api):
    assert api.post("/api/v1/webhooks", {"url": BOT, "source_id": 404}).status_code == 404


def test_a_change_is_recorded_with_its_reason(api, webhook):
    api.patch(f"/api/v1/webhooks/{webhook.pk}", {"is_active": False}, headers={"X-Change-Reason": "moving"})
    change = Change.objects.latest("pk")
    assert (change.what, change.before, change.after) == ("webhook.changed", {"is_active": True}, {"is_active": False})
    assert change.reason == "moving"


def test_switched_on_again_it_has_forgotten_its_failures(api, webhook):
    Webhook.objects.update(is_active=False, disabled_reason="gone", failures=9, failing_since=webhook.created_at)
    answered = api.patch(f"/api/v1/webhooks/{webhook.pk}", {"is_active": True}).data
    assert (answered["is_active"], answered["disabled_reason"], answered["failing_since"]) == (True, None, None)


def test_a_deleted_webhook_is_gone_with_its_deliveries(api, webhook):
    Delivery.objects.create(webhook=webhook, event_id=8, type="contact.assigned")
    assert api.delete(f"/api/v1/webhooks/{webhook.pk}").status_code == 204
    assert api.get(f"/api/v1/webhooks/{webhook.pk}").json()["code"] == "not_found"
    assert not Delivery.objects.exists()


def test_a_test_answers_with_what_came_back(api):
    with endpoints.serving(418) as endpoint:
        webhook = actions.create_webhook(url=endpoint.url)
        answered = api.post(f"/api/v1/webhooks/{webhook.pk}/test").data
    assert (answered["is_accepted"], answered["status"], answered["answer"]) == (False, 418, "thank you")
    assert '"type":"webhook.test"' in endpoint.received[0].body


def test_deliveries_show_their_attempts_and_are_filtered_by_status(api, webhook):
    failed = Delivery.objects.create(webhook=webhook, event_id=8, type="contact.assigned", ended_at=webhook.created_at)
    Delivery.objects.create(webhook=webhook, event_id=16, type="contact.assigned")
    Attempt.objects.create(delivery=failed, at=webhook.created_at, status=500, duration_ms=12, error="status")
    path = f"/api/v1/webhooks/{webhook.pk}/deliveries"
    [found] = api.get(path, {"status": "failed"}).data["results"]
    assert (found["message_id"], found["status"], found["attempts"][0]["status"]) == ("evt_8", "failed", 500)
    assert len(api.get(path).data["results"]) == 2
    assert api.get(path, {"status": "lost"}).status_code == 400
    assert api.get("/api/v1/webhooks/404/deliveries").status_code == 404


def test_pages_of_deliveries_lead_to_the_oldest(api, webhook):
    made = [Delivery.objects.create(webhook=webhook, event_id=number, type="contact.queued").pk for number in range(3)]
    first = api.get(f"/api/v1/webhooks/{webhook.pk}/deliveries", {"page_size": 2}).json()
    second = api.get(first["next"]).json()
    assert [one["id"] for one in first["results"] + second["results"]] == made[::-1]
    assert second["next"] is None


@pytest.mark.parametrize("body", [{"after": "0"}, {"after": 0}, {"after": "2026-11-01T00:00:00Z"}])
def test_events_are_replayed_after_a_cursor_or_a_moment(api, webhook, body):
    response = api.post(f"/api/v1/webhooks/{webhook.pk}/replay", body)
    assert (response.status_code, webhook.replays.count()) == (202, 1)


@pytest.mark.parametrize("body", [{}, {"after": "soon"}, {"delivery": 1}, {"after": "0", "delivery_id": 1}])
def test_a_replay_of_nothing_in_particular_is_refused(api, webhook, body):
    assert api.post(f"/api/v1/webhooks/{webhook.pk}/replay", body).status_code == 400
    assert webhook.replays.count() == 0


def test_a_delivery_of_another_webhook_is_not_replayed(api, webhook):
    other = actions.create_webhook(url=BOT)
    delivery = Delivery.objects.create(webhook=other, event_id=8, type="contact.assigned")
    response = api.post(f"/api/v1/webhooks/{webhook.pk}/replay", {"delivery_id": delivery.pk})
    assert response.status_code == 404


def test_nothing_is_replayed_to_a_webhook_that_is_off(api, webhook):
    Webhook.objects.update(is_active=False)
    response = api.post(f"/api/v1/webhooks/{webhook.pk}/replay", {"after": "0"})
    assert (response.status_code, response.json()["code"]) == (409, "switched_off")


def test_source_keys_may_not_see_webhooks(api, webhook, settings):
    settings.API_KEYS = "required"
    source_key, management = callers.key(characters.source()), callers.key()
    for key, status in ((source_key, 403), (management, 200)):
        headers = {"Authorization": f"Bearer {key.secret}"}
        assert api.get(f"/api/v1/webhooks/{webhook.pk}", headers=headers).status_code == status
