"""Leases due deliveries to this worker, a few of each webhook. The lease of a worker that was killed ends by itself."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Case, F, Value, When
from django.utils import timezone

from core import retry
from notifications.models import Delivery, Webhook

LEASE = timedelta(seconds=120)
HOPELESS = 10  # failures in a row, after which the address is tried at HOPELESS_RATE only
HOPELESS_RATE = 1.0  # a second
BURST = 0.2  # seconds of a rate that are claimed together
LONGEST_PACE = timedelta(seconds=60)  # a later moment was set before the clock was set back
CLOCK_TOLERANCE = timedelta(seconds=2)


def claim_deliveries(webhook: Webhook, *, count: int) -> list[Delivery]:
    """Leases at most `count` due deliveries, of each contact only the first. None of those that others have leased."""
    for attempt in retry.attempts():
        with attempt:
            now = timezone.now()
            allowed = take_allowance(webhook.pk, count, now) if rate_limit(webhook) else count
            due = webhook.deliveries.due().first_of_contact().order_by("next_at", "pk")
            locked = due.select_for_update(no_key=True, skip_locked=True, of=("self",))
            claimed: list[Delivery] = list(locked[:allowed])
            if claimed:
                keys = [delivery.pk for delivery in claimed]
                Delivery.objects.filter(pk__in=keys).update(leased_until=now + LEASE, planned_at=now)
            if webhook.catching_up_since and len(claimed) < allowed:
                Webhook.objects.filter(pk=webhook.pk).update(catching_up_since=None, next_claim_at=None)
    return claimed


def rate_limit(webhook: Webhook) -> float | None:
    """How many deliveries a second may go to this address; None without limit."""
    if webhook.failures >= HOPELESS:
        return HOPELESS_RATE
    return float(settings.WEBHOOK_CATCH_UP_RATE) if webhook.catching_up_since else None


def take_allowance(webhook_id: int, count: int, now: datetime) -> int:
    """How many of them may be sent now. The rate holds for all workers together, by the row of the webhook."""
    webhook = Webhook.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=webhook_id).first()
    if webhook is None:
        return 0
    rate = rate_limit(webhook)
    if rate is None:
        return count
    if webhook.next_claim_at and now < webhook.next_claim_at <= now + LONGEST_PACE:
        return 0
    allowed = min(count, max(1, int(rate * BURST)))
    webhook.next_claim_at = now + timedelta(seconds=allowed / rate)
    webhook.save(update_fields=["next_claim_at"])
    return allowed


def release_claims(delivery_ids: Collection[int]) -> None:
    """Gives back what this worker has not begun to send."""
    if delivery_ids:
        for attempt in retry.attempts():
            with attempt:
                Delivery.objects.pending().filter(pk__in=delivery_ids).update(leased_until=None)


def correct_moments() -> int:
    """After the clock was set back: what was planned in its future is due now, and leases end in time."""
    now = timezone.now()
    planned_later = Delivery.objects.pending().filter(planned_at__gt=now + CLOCK_TOLERANCE)
    if not planned_later.exists():
        return 0
    for attempt in retry.attempts():
        with attempt:
            lease = Case(When(leased_until__isnull=False, then=Value(now + LEASE)), default=F("leased_until"))
            corrected = planned_later.update(next_at=now, planned_at=now, leased_until=lease)
    return corrected
