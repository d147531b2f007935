"""Deletes old notices, and alarms that are over."""

from collections.abc import Callable
from datetime import datetime

from django.db.models import Q

from core import retry
from notifications.messenger.models import Alarm, Notice, NoticeQuerySet

TOGETHER = 2000  # in one transaction


def old_notices(*, created_before: datetime) -> NoticeQuerySet:
    """Those of open contacts are kept: their messages are still edited."""
    is_open = Q(contact__isnull=False, contact__resolved_at__isnull=True)
    return Notice.objects.filter(created_at__lt=created_before).exclude(is_open)


def delete_old_notices(*, created_before: datetime, go_on: Callable[[], bool] = lambda: True) -> int:
    """Deletes notices created before that, and alarms that were over by then. Returns how many notices."""
    deleted = 0
    while go_on():
        for attempt in retry.attempts():
            with attempt:
                old = old_notices(created_before=created_before).order_by("created_at").values_list("pk", flat=True)
                keys = list(old[:TOGETHER])
                Notice.objects.filter(pk__in=keys).delete()
                Alarm.objects.filter(over_at__lt=created_before, notices__isnull=True).delete()
        if not keys:
            break
        deleted += len(keys)
    return deleted
