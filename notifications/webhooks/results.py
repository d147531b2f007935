"""Notes how attempts have ended, when the next one is, and how well each webhook does."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils import timezone

from core import retry
from core.changes.models import Via
from core.changes.recording import Author, record_change
from notifications.models import Attempt, Delivery, DeliveryCount, Webhook
from notifications.webhooks import forgetting
from notifications.webhooks.answers import Answer

DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 2 * 60, 10 * 60, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 48 * 3600)
)
SWITCHED_OFF_AFTER = timedelta(days=3)  # without a single success
OUTAGE = timedelta(minutes=1)  # a longer one leaves a backlog, which is sent paced
GONE = 410
RULE = Author("system", Via.RULE)

Error = Attempt.Error


@dataclass(frozen=True, slots=True)
class Result:
    """One attempt: what came back from which address, and when it began."""

    delivery_id: int
    webhook_id: int
    url: str
    at: datetime
    answer: Answer


def note_results(results: Sequence[Result]) -> None:
    """Stores all of them in one transaction. Those of deliveries that were deleted meanwhile are left out."""
    for attempt in retry.attempts():
        with attempt:
            webhooks = lock_webhooks({result.webhook_id for result in results})
            deliveries = lock_deliveries(result.delivery_id for result in results)
            known = [result for result in results if result.delivery_id in deliveries]
            erased = forgetting.of_erased(delivery.contact_id for delivery in deliveries.values())
            Attempt.objects.bulk_create(
                attempt_row(result, is_erased=deliveries[result.delivery_id].contact_id in erased) for result in known
            )
            note_delivered(deliveries, [result for result in known if not result.answer.error])
            for result in known:
                if result.answer.error:
                    note_failure(deliveries[result.delivery_id], result.answer.error)
            for webhook in webhooks.values():
                # What its former address says, if it has another one by now, is not about this one.
                health = [one for one in known if (one.webhook_id, one.url) == (webhook.pk, webhook.url)]
                note_health(webhook, health)
            count_outcomes(known)


def lock_webhooks(keys: Iterable[int]) -> dict[int, Webhook]:
    locked = Webhook.objects.select_for_update(no_key=True).filter(pk__in=list(keys)).order_by("pk")
    return {webhook.pk: webhook for webhook in locked}


def lock_deliveries(keys: Iterable[int]) -> dict[int, Delivery]:
    locked = Delivery.objects.select_for_update(no_key=True).filter(pk__in=list(keys)).order_by("pk")
    return {delivery.pk: delivery for delivery in locked}


def attempt_row(result: Result, *, is_erased: bool) -> Attempt:
    """Without the answer if the client was erased, perhaps while it was on its way."""
    answer = result.answer
    return Attempt(
        delivery_id=result.delivery_id,
        at=result.at,
        status=answer.status,
        duration_ms=answer.duration_ms,
        error=answer.error,
        answer="" if is_erased else answer.text,
    )


def note_delivered(deliveries: Mapping[int, Delivery], results: Sequence[Result]) -> None:
    keys, now = [result.delivery_id for result in results], timezone.now()
    if keys:
        Delivery.objects.filter(pk__in=keys).update(
            ended_at=now, delivered_at=now, attempts=F("attempts") + 1, leased_until=None
        )
    for key in keys:
        deliveries[key].ended_at = deliveries[key].delivered_at = now


def note_failure(delivery: Delivery, error: Attempt.Error) -> None:
    """Plans the next attempt, if there is one. Later events of the same contact wait as long."""
    if delivery.delivered_at:
        return  # by another worker, which had it after the lease of this one had ended
    now = timezone.now()
    delivery.attempts += 1
    delivery.leased_until, delivery.planned_at = None, now
    if error == Error.NO_EVENT or delivery.attempts > len(DELAYS):
        delivery.ended_at = now
    else:
        delivery.ended_at = None
        delivery.next_at = now + DELAYS[delivery.attempts - 1]
        if delivery.contact_id is not None:
            followers(delivery).filter(next_at__lt=delivery.next_at).update(next_at=delivery.next_at, planned_at=now)
    delivery.save(update_fields=["ended_at", "attempts", "leased_until", "planned_at", "next_at"])


def followers(delivery: Delivery) -> QuerySet[Delivery]:
    """They could not be sent before it anyway. So a search for due ones need not pass over them."""
    return Delivery.objects.pending().filter(
        webhook=delivery.webhook_id, contact_id=delivery.contact_id, event_id__gt=delivery.event_id
    )


def note_health(webhook: Webhook, results: Sequence[Result]) -> None:
    """Counts failures in a row. Switches a webhook off that is gone, or has failed for three days."""
    now = timezone.now()
    before = (webhook.failing_since, webhook.failures)
    for result in sorted(results, key=lambda one: one.at):
        if result.answer.error is None:
            note_success(webhook, now)
        elif result.answer.error != Error.NO_EVENT:
            webhook.failing_since = webhook.failing_since or now
            webhook.failures += 1
    if not webhook.is_active:
        return
    if any(result.answer.status == GONE for result in results):
        switch_off(webhook, Webhook.Disabled.GONE)
    elif webhook.failing_since and now - webhook.failing_since >= SWITCHED_OFF_AFTER:
        switch_off(webhook, Webhook.Disabled.FAILING)
    elif before != (webhook.failing_since, webhook.failures):
        webhook.save(update_fields=["failing_since", "failures", "catching_up_since"])


def note_success(webhook: Webhook, now: datetime) -> None:
    if webhook.failing_since and now - webhook.failing_since >= OUTAGE:
        webhook.catching_up_since = webhook.catching_up_since or now
    webhook.failing_since, webhook.failures = None, 0


def switch_off(webhook: Webhook, reason: Webhook.Disabled) -> None:
    """What is pending stays so, until somebody switches it on."""
    webhook.is_active, webhook.disabled_reason, webhook.disabled_at = False, reason, timezone.now()
    webhook.save(
        update_fields=["is_active", "disabled_reason", "disabled_at", "failing_since", "failures", "updated_at"]
    )
    record_change(
        "webhook.changed",
        RULE,
        before={"is_active": True, "disabled_reason": None},
        after={"is_active": False, "disabled_reason": reason.value},
        subject=str(webhook.url),
        subject_id=webhook.pk,
    )


def count_outcomes(results: Sequence[Result]) -> None:
    """In the order of their names, so that two workers do not wait for each other."""
    counts = Counter(result.answer.error or Delivery.Status.DELIVERED for result in results)
    for outcome, count in sorted(counts.items()):
        if not DeliveryCount.objects.filter(outcome=outcome).update(count=F("count") + count):
            DeliveryCount.objects.create(outcome=outcome, count=count)
