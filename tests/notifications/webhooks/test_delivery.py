"""What a webhook receives: which events, in which order, signed, and again until it accepts them."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from standardwebhooks import Webhook as Receiver
from standardwebhooks import WebhookVerificationError

from core.changes.models import Change
from leads import erasure
from notifications import feed
from notifications.models import Attempt, Delivery, Webhook
from notifications.webhooks import actions, results, sending, signing
from routing import lifecycle
from tests import characters
from tests.notifications.webhooks import endpoints
from tests.notifications.webhooks.conftest import deliver, make_due, told
from tests.notifications.webhooks.running import Running

pytestmark = pytest.mark.django_db(transaction=True)

Status = Delivery.Status


def headers_of(request):
    return {name.lower(): value for name, value in request.headers.items()}


def test_a_registration_is_told_as_two_events(bot, webhook, endpoint):
    contact = characters.contact(bot)
    deliver()
    assert told(endpoint) == ["contact.registered", "contact.assigned"]
    assert [data["id"] for data in told(endpoint, "data")] == [contact.pk] * 2
    assert set(json.loads(endpoint.received[0].body)) == {"type", "timestamp", "data"}


def test_the_published_library_verifies_what_is_sent(bot, webhook, endpoint):
    characters.contact(bot, message="Здравствуйте 👋")
    deliver()
    for request in endpoint.received:
        Receiver(webhook.secret).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Receiver(signing.make_secret()).verify(request.body, request.headers)


def test_after_a_rotation_both_secrets_verify_for_a_day(bot, webhook, endpoint):
    new = actions.rotate_secret(webhook_id=webhook.pk)
    characters.contact(bot)
    deliver()
    for secret in (webhook.secret, new.secret):
        Receiver(secret).verify(endpoint.received[0].body, endpoint.received[0].headers)
    Webhook.objects.update(old_secret_until=timezone.now() - timedelta(seconds=1))
    characters.contact(bot)
    deliver()
    with pytest.raises(WebhookVerificationError):
        Receiver(webhook.secret).verify(endpoint.received[-1].body, endpoint.received[-1].headers)


def test_only_the_types_that_were_asked_for(bot, endpoint):
    actions.create_webhook(url=endpoint.url, types=["contact.resolved"])
    lifecycle.resolve_contact(contact_id=characters.contact(bot).pk, by="Anna")
    deliver()
    assert told(endpoint) == ["contact.resolved"]


def test_a_webhook_of_one_source_gets_its_contacts_only(bot, endpoint):
    actions.create_webhook(url=endpoint.url, source_id=bot.pk)
    characters.contact(characters.source())
    mine = characters.contact(bot)
    deliver()
    assert {data["id"] for data in told(endpoint, "data")} == {mine.pk}


@pytest.mark.parametrize(("with_message", "expected"), [(True, "Hello"), (False, None)])
def test_the_message_is_sent_if_it_was_asked_for(bot, endpoint, with_message, expected):
    actions.create_webhook(url=endpoint.url, with_message=with_message)
    characters.contact(bot, message="Hello")
    deliver()
    assert told(endpoint, "data")[0].get("message") == expected


def test_what_happened_before_it_was_created_is_not_told(bot, endpoint):
    characters.contact(bot)
    actions.create_webhook(url=endpoint.url)
    deliver()
    assert endpoint.received == []


def test_each_event_is_sent_once(bot, webhook, endpoint):
    characters.contact(bot)
    deliver()
    deliver()
    assert len(endpoint.received) == len({request.headers["webhook-id"] for request in endpoint.received}) == 2


def test_a_failure_is_repeated_with_the_same_id(bot, webhook, endpoint):
    endpoint.answers = [503, 200]
    characters.contact(bot)
    deliver()
    assert len(endpoint.received) == 1
    make_due()
    deliver()
    first, second, _ = endpoint.received
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert told(endpoint) == ["contact.registered", "contact.registered", "contact.assigned"]


def test_later_events_of_a_contact_wait_and_other_contacts_do_not(bot, webhook, endpoint):
    stuck, other = characters.contact(bot), characters.contact(bot)
    endpoint.choose = lambda request: 500 if json.loads(request.body)["data"]["id"] == stuck.pk else 200
    lifecycle.resolve_contact(contact_id=stuck.pk, by="Anna")
    deliver()
    tried = [data["id"] for data in told(endpoint, "data")]
    assert (tried.count(stuck.pk), tried.count(other.pk)) == (1, 2)
    endpoint.choose = None
    make_due()
    deliver()
    of_stuck = [
        name for name, data in zip(told(endpoint), told(endpoint, "data"), strict=True) if data["id"] == stuck.pk
    ]
    assert of_stuck == ["contact.registered", "contact.registered", "contact.assigned", "contact.resolved"]


def test_attempts_are_planned_as_the_contract_says_and_then_given_up(bot, endpoint):
    actions.create_webhook(url=endpoint.url, types=["contact.registered"])
    endpoint.answers = [500]
    characters.contact(bot)
    deliver()
    delays = []
    while Delivery.objects.get().status == Status.PENDING:
        delivery = Delivery.objects.get()
        delays.append(round((delivery.next_at - delivery.planned_at).total_seconds()))
        make_due()
        Webhook.objects.update(failures=0, next_claim_at=None)  # the pace has tests of its own
        deliver()
    assert delays == [5, 30, 120, 600, 3600, 14400, 43200, 86400, 172800]
    assert (Delivery.objects.get().status, Attempt.objects.count()) == (Status.FAILED, 10)


def test_410_switches_it_off_and_says_why(bot, webhook, endpoint):
    endpoint.answers = [410]
    characters.contact(bot)
    deliver()
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.disabled_reason) == (False, "gone")
    make_due()
    deliver()
    assert len(endpoint.received) == 1


def test_a_410_of_the_former_address_does_not_switch_the_new_one_off(bot, webhook, endpoint, monkeypatch):
    endpoint.answers = [410]
    note_results = results.note_results

    def move_first(found):
        actions.change_webhook(webhook_id=webhook.pk, changes={"url": "https://new.example.com/hook"})
        note_results(found)

    monkeypatch.setattr(results, "note_results", move_first)
    characters.contact(bot)
    deliver()
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.disabled_reason) == (True, None)
    assert Delivery.objects.pending().count() == 2


def test_three_days_without_a_success_switch_it_off(bot, webhook, endpoint):
    endpoint.answers = [500]
    Webhook.objects.update(failing_since=timezone.now() - results.SWITCHED_OFF_AFTER, failures=3)
    characters.contact(bot)
    deliver()
    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.disabled_reason) == (False, "failing")


def test_switched_on_again_it_sends_what_was_pending(bot, webhook, endpoint):
    endpoint.answers = [410, 200]
    characters.contact(bot)
    deliver()
    actions.change_webhook(webhook_id=webhook.pk, changes={"is_active": True})
    make_due()
    deliver()
    assert told(endpoint)[1:] == ["contact.registered", "contact.assigned"]


def test_an_erased_person_is_in_no_body_that_is_sent_afterwards(bot, webhook, endpoint):
    endpoint.answers = [500, 200]
    contact = characters.contact(bot, lead_name="Olga Sergeevna", lead_email="olga@example.com", message="I am Olga")
    deliver()
    erasure.erase_lead(lead_id=contact.lead_id)
    make_due()
    endpoint.received.clear()
    deliver()
    assert endpoint.received
    assert not any(word in request.body for request in endpoint.received for word in ("Olga", "olga@"))


def test_a_dead_endpoint_does_not_delay_the_others(bot, endpoint, monkeypatch):
    monkeypatch.setattr(sending, "TIMEOUT", 5.0)
    with endpoints.misbehaving(endpoints.hang) as dead:
        hanging = actions.create_webhook(url=dead)
        actions.create_webhook(url=endpoint.url)
        for _ in range(20):
            characters.contact(bot)
        with Running():
            endpoint.wait_for(40)
            assert not Attempt.objects.filter(delivery__webhook=hanging).exists()


def test_a_replay_sends_what_was_delivered_again_with_the_same_id(bot, webhook, endpoint):
    contact = characters.contact(bot)
    deliver()
    first = Delivery.objects.order_by("event_id")[0]
    actions.replay_delivery(webhook_id=webhook.pk, delivery_id=first.pk)
    deliver()
    assert [request.headers["webhook-id"] for request in endpoint.received].count(first.message_id) == 2
    assert told(endpoint, "data")[-1]["id"] == contact.pk


def test_a_replay_after_the_beginning_sends_also_what_was_before_the_webhook(bot, endpoint):
    old = characters.contact(bot)
    webhook = actions.create_webhook(url=endpoint.url)
    new = characters.contact(bot)
    deliver()
    actions.replay_events(webhook_id=webhook.pk, after=feed.START)
    deliver()
    told_of = [data["id"] for data in told(endpoint, "data")]
    assert (told_of.count(old.pk), told_of.count(new.pk)) == (2, 4)


def test_after_the_clock_was_set_back_nothing_waits_for_the_old_time(bot, webhook, endpoint):
    characters.contact(bot)
    endpoint.answers = [503, 200]
    deliver()
    later = timezone.now() + timedelta(hours=3)
    Delivery.objects.update(next_at=later, planned_at=later)
    deliver()
    assert len(endpoint.received) == 3


@pytest.mark.parametrize("off", [timedelta(days=-1), timedelta(hours=1)])
def test_what_happens_while_the_clock_is_wrong_is_told(bot, webhook, endpoint, time_machine, off):
    """Also if the clock is set back to before the webhook's creation."""
    now = timezone.now()
    time_machine.move_to(now + off)
    characters.contact(bot)
    time_machine.move_to(now + timedelta(seconds=1))
    deliver()
    assert told(endpoint) == ["contact.registered", "contact.assigned"]
    actions.replay_events(webhook_id=webhook.pk, after=feed.START)
    deliver()
    assert told(endpoint).count("contact.registered") == 2


def test_what_a_webhook_does_leaves_no_secret_in_its_changes(webhook):
    new = actions.rotate_secret(webhook_id=webhook.pk)
    actions.delete_webhook(webhook_id=webhook.pk)
    stored = str(list(Change.objects.values()))
    assert webhook.secret not in stored
    assert new.secret not in stored
    assert [change.what for change in Change.objects.filter(what__startswith="webhook").order_by("pk")] == [
        "webhook.created",
        "webhook.secret_rotated",
        "webhook.deleted",
    ]
