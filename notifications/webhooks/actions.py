"""Creates and changes webhooks, tries them out, and has events sent again."""

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core import retry
from core.changes.recording import SERVICE, Author, record_change
from core.errors import Conflict, FieldError, Invalid, Unknown, raise_if_overtaken
from core.moments import format_utc
from notifications import feed
from notifications.models import Delivery, Replay, Webhook
from notifications.webhooks import fan_out, rendering
from notifications.webhooks.addresses import read_url
from notifications.webhooks.answers import Answer
from notifications.webhooks.signing import make_secret
from routing.models import Source

OLD_SECRET_SIGNS = timedelta(hours=24)
TEST = "webhook.test"
CONFIGURATION = ("url", "types", "source_id", "with_message", "is_active", "disabled_reason")
HEALTH = (  # what switching on resets
    "after_event",
    "after_change",
    "disabled_reason",
    "disabled_at",
    "failing_since",
    "failures",
    "catching_up_since",
    "next_claim_at",
)


def create_webhook(
    *,
    url: str,
    types: Collection[str] | None = None,
    source_id: int | None = None,
    with_message: bool = False,
    is_active: bool = True,
    author: Author = SERVICE,
) -> Webhook:
    """It gets events from now on. Its `secret` is to be shown once. Raises Invalid, or Unknown for the source."""
    webhook = Webhook(
        url=read_url(url),
        types=read_types(types),
        source_id=source_id,
        with_message=with_message,
        is_active=is_active,
        secret=make_secret(),
    )
    require_source(source_id)
    for attempt in retry.attempts():
        with attempt:
            if is_active:
                fan_out.start_reading()
            webhook.after_event, webhook.after_change = feed.newest_ids()
            webhook.save(force_insert=True)
            record("webhook.created", author, webhook, before={})
    return webhook


def change_webhook(
    *, webhook_id: int, changes: Mapping[str, Any], seen: Mapping[str, Any] | None = None, author: Author = SERVICE
) -> Webhook:
    """Sets any of `url`, `types`, `source_id`, `with_message` and `is_active`. Raises Invalid, Unknown or Overtaken.

    Switched on, it gets events from now on, and what was pending when it was switched off.
    """
    wanted = dict(changes)
    if "url" in wanted:
        wanted["url"] = read_url(wanted["url"])
    if "types" in wanted:
        wanted["types"] = read_types(wanted["types"])
    require_source(wanted.get("source_id"))
    for attempt in retry.attempts():
        with attempt:
            webhook = lock_webhook(webhook_id)
            raise_if_overtaken(webhook, seen)
            before = configuration(webhook)
            if wanted.get("is_active") and not webhook.is_active:
                switch_on(webhook)
            for field, value in wanted.items():
                setattr(webhook, field, value)
            if configuration(webhook) != before:
                webhook.save(update_fields=[*wanted, *HEALTH, "updated_at"])
                record("webhook.changed", author, webhook, before=before)
    return webhook


def switch_on(webhook: Webhook) -> None:
    """Forgets how it has failed. Its backlog is sent paced."""
    fan_out.start_reading()
    webhook.after_event, webhook.after_change = feed.newest_ids()
    webhook.disabled_reason = webhook.disabled_at = webhook.failing_since = webhook.next_claim_at = None
    webhook.failures = 0
    webhook.catching_up_since = timezone.now()


def delete_webhook(*, webhook_id: int, author: Author = SERVICE) -> None:
    """With its deliveries. What a worker is sending in this moment may still arrive. Raises Unknown."""
    for attempt in retry.attempts():
        with attempt:
            webhook = lock_webhook(webhook_id)
            before = configuration(webhook)
            record_change(
                "webhook.deleted", author, before=before, after={}, subject=str(webhook.url), subject_id=webhook_id
            )
            webhook.delete()


def rotate_secret(*, webhook_id: int, author: Author = SERVICE) -> Webhook:
    """A new secret, which is to be shown once. The one before signs as well for 24 hours. Raises Unknown."""
    for attempt in retry.attempts():
        with attempt:
            webhook = lock_webhook(webhook_id)
            webhook.old_secret, webhook.secret = webhook.secret, make_secret()
            webhook.old_secret_until = timezone.now() + OLD_SECRET_SIGNS
            webhook.save(update_fields=["secret", "old_secret", "old_secret_until", "updated_at"])
            until = {"old_secret_until": format_utc(webhook.old_secret_until)}
            record_change(
                "webhook.secret_rotated", author, before={}, after=until, subject=webhook.url, subject_id=webhook_id
            )
    return webhook


def send_test(*, webhook_id: int) -> Answer:
    """Sends `webhook.test` now, also to one that is switched off, and waits for the answer. Raises Unknown."""
    from notifications.webhooks.sender import send_message  # imports what only a process that sends needs

    webhook = Webhook.objects.filter(pk=webhook_id).first()
    if webhook is None:
        raise Unknown("webhook", webhook_id)
    body = rendering.render_body(TEST, format_utc(timezone.now()), {"webhook_id": webhook_id})
    message_id = f"test_{secrets.token_hex(12)}"
    return send_message(webhook.url, message_id=message_id, body=body, secrets=webhook.secrets())


def replay_events(*, webhook_id: int, after: feed.Cursor, since: datetime | None = None) -> None:
    """Has all events after the cursor sent again, without those before the moment. The worker does it, paced.

    Raises Unknown, or Conflict `switched_off`.
    """
    for attempt in retry.attempts():
        with attempt:
            require_active(lock_webhook(webhook_id))
            event, change = feed.newest_ids()
            Replay.objects.create(
                webhook_id=webhook_id, cursor=str(after), since=since, until_event=event, until_change=change
            )


def replay_delivery(*, webhook_id: int, delivery_id: int) -> Delivery:
    """Has one event sent again, with the same `webhook-id`. A pending one is tried now.

    Raises Unknown, or Conflict `switched_off`.
    """
    for attempt in retry.attempts():
        with attempt:
            webhook = lock_webhook(webhook_id)
            delivery = lock_delivery(webhook, delivery_id)
            require_active(webhook)
            now = timezone.now()
            delivery.ended_at, delivery.delivered_at, delivery.attempts = None, None, 0
            delivery.next_at = delivery.planned_at = now
            delivery.save(update_fields=["ended_at", "delivered_at", "attempts", "next_at", "planned_at"])
    return delivery


def require_active(webhook: Webhook) -> None:
    if not webhook.is_active:
        raise Conflict("switched_off", _("This webhook is switched off. Switch it on first."))


def lock_webhook(webhook_id: int) -> Webhook:
    """Locks the row also against references by new deliveries, which a deletion would miss."""
    webhook = Webhook.objects.select_for_update().filter(pk=webhook_id).first()
    if webhook is None:
        raise Unknown("webhook", webhook_id)
    return webhook


def lock_delivery(webhook: Webhook, delivery_id: int) -> Delivery:
    delivery = webhook.deliveries.select_for_update(no_key=True).filter(pk=delivery_id).first()
    if delivery is None:
        raise Unknown("delivery", delivery_id)
    return delivery


def read_types(types: Collection[str] | None) -> list[str] | None:
    """In the order of `feed.TYPES`, each once; None stands for all. Raises Invalid."""
    if types is None:
        return None
    unknown = sorted(set(types) - set(feed.TYPES))
    if unknown or not types:
        names = ", ".join(unknown)
        detail = (
            _("“%(names)s” is not a type of events (expected some of: %(types)s).")
            % {"names": names, "types": ", ".join(feed.TYPES)}
            if unknown
            else _("Name at least one type, or null for all.")
        )
        raise Invalid(FieldError("types", "invalid", detail))
    return [name for name in feed.TYPES if name in types]


def require_source(source_id: int | None) -> None:
    if source_id is not None and not Source.objects.current().filter(pk=source_id).exists():
        raise Unknown("source", source_id)


def configuration(webhook: Webhook) -> dict[str, Any]:
    return {name: getattr(webhook, name) for name in CONFIGURATION}


def record(what: str, author: Author, webhook: Webhook, *, before: Mapping[str, Any]) -> None:
    record_change(what, author, before=before, after=configuration(webhook), subject=webhook.url, subject_id=webhook.pk)
