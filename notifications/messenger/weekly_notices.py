"""The report of the last week, each Monday by e-mail to users who have ticked it in a channel of theirs."""

from datetime import datetime, time

from django.utils import timezone

from core import retry
from notifications.messenger.alarms import supervising_channels
from notifications.messenger.models import Kind, Notice
from notifications.messenger.weekly_report import DAY, WEEKLY, number_of

SENT_FROM = time(7)  # on Monday, in TIME_ZONE
UNTIL_DAY = 2  # Wednesday: a report that is later than that is no news


def make_weekly_notices(now: datetime | None = None) -> str:
    """One notice for each channel and week, however often this is called. Returns a line for the log."""
    local = timezone.localtime(now or timezone.now(), timezone.get_default_timezone())
    if local.weekday() >= UNTIL_DAY or (local.weekday() == 0 and local.time() < SENT_FROM):
        return ""
    monday = local.date() - local.weekday() * DAY
    channels = [one for one in supervising_channels() if one.kind == Kind.EMAIL and WEEKLY in one.wanted_types]
    told = set(Notice.objects.filter(type=WEEKLY, event_id=number_of(monday)).values_list("channel", flat=True))
    missing = [channel for channel in channels if channel.pk not in told]
    if not missing:
        return ""
    for attempt in retry.attempts():
        with attempt:
            Notice.objects.bulk_create(
                [
                    Notice(channel=channel, type=WEEKLY, event_id=number_of(monday), due_at=timezone.now())
                    for channel in missing
                ],
                ignore_conflicts=True,
            )
    return f"Weekly reports for {len(missing)} channels."
