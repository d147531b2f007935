"""How deliveries do, for the metrics."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min

from notifications.models import Attempt, Delivery, DeliveryCount


@dataclass(frozen=True, slots=True)
class Pending:
    count: int
    oldest_age: float  # seconds


def count_attempts() -> dict[str, int]:
    """By outcome, also those that never happened: a counter that first appears with 1 shows no increase."""
    outcomes = [Delivery.Status.DELIVERED.value, *Attempt.Error.values]
    return dict.fromkeys(outcomes, 0) | dict(DeliveryCount.objects.values_list("outcome", "count"))


def pending_deliveries(now: datetime) -> Pending:
    """Of active webhooks."""
    found = (
        Delivery.objects.pending().filter(webhook__is_active=True).aggregate(n=Count("pk"), oldest=Min("created_at"))
    )
    return Pending(found["n"], max(0.0, (now - found["oldest"]).total_seconds()) if found["oldest"] else 0.0)
