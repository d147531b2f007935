"""Deletes old deliveries, with their attempts."""

from collections.abc import Callable
from datetime import datetime

from core import retry
from notifications.models import Delivery
from notifications.models.webhook import DeliveryQuerySet

TOGETHER = 2000  # in one transaction


def old_deliveries(*, created_before: datetime) -> DeliveryQuerySet:
    """Also pending ones, of webhooks that are switched off: their events are kept no longer."""
    return Delivery.objects.filter(created_at__lt=created_before)


def delete_old_deliveries(*, created_before: datetime, go_on: Callable[[], bool] = lambda: True) -> int:
    """Deletes deliveries created before that, while `go_on`. Returns how many."""
    deleted = 0
    while go_on():
        for attempt in retry.attempts():
            with attempt:
                old = old_deliveries(created_before=created_before).order_by("created_at").values_list("pk", flat=True)
                keys = list(old[:TOGETHER])
                Delivery.objects.filter(pk__in=keys).delete()
        if not keys:
            break
        deleted += len(keys)
    return deleted
