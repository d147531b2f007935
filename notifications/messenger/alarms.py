"""Alarms for supervisors: each is told once when it begins, and once when it is over."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.utils import timezone

from core import retry
from notifications.messenger import conditions
from notifications.messenger.conditions import Conditions
from notifications.messenger.models import Alarm, Channel, MessengerState, Notice
from notifications.messenger.state import lock_state, read_state
from notifications.messenger.truth import ALARM, ALARM_OVER
from routing.own_contacts import sees_all

# What changes with each contact must have lasted so long before it is told, and be gone so long before it is over.
SETTLE = {Alarm.Kind.FULL: timedelta(seconds=60), Alarm.Kind.UNSERVED: timedelta(seconds=60)}
CHECK_EVERY = timedelta(hours=1)
HOURLY = (Alarm.Kind.CHECK, Alarm.Kind.SLOW, Alarm.Kind.MISSES)


def update_alarms(now: datetime | None = None) -> str:
    """Looks for what supervisors should know of; begins and ends alarms, and makes notices of them."""
    now = now or timezone.now()
    checks = is_check_due(now)
    found = conditions.find_conditions(now)
    found |= conditions.find_unusual(now) | conditions.find_inconsistencies() if checks else kept_checks()
    told: list[str] = []
    for attempt in retry.attempts():
        with attempt:
            told = []
            if lock_state() is not None:
                lasting = {(one.kind, one.subject): one for one in Alarm.objects.filter(over_at=None)}
                told = [*begin_alarms(found, lasting, now), *end_alarms(found, lasting, now)]
                if checks:
                    MessengerState.objects.update(checked_at=now)
    return " ".join(told)


def is_check_due(now: datetime) -> bool:
    """Once an hour; also if the clock was set back."""
    last = read_state().checked_at
    return last is None or not timedelta() <= now - last < CHECK_EVERY


def kept_checks() -> Conditions:
    """What the last checks have found, until the next ones."""
    lasting = Alarm.objects.filter(kind__in=HOURLY, over_at=None)
    return {(one.kind, one.subject): one.details for one in lasting}


def begin_alarms(found: Conditions, lasting: Mapping[tuple[str, str], Alarm], now: datetime) -> list[str]:
    """Stores what is new, and tells what has lasted long enough, inside the caller's transaction."""
    told = []
    for (kind, subject), details in found.items():
        alarm = lasting.get((kind, subject)) or Alarm(kind=kind, subject=subject, since=now)
        alarm.since = min(alarm.since, now)  # the clock may have been set back
        alarm.seen_at = now
        if alarm.told_at is None:
            alarm.details = dict(details)
            if now - alarm.since >= settle_time(alarm):
                alarm.told_at = now
        alarm.save()
        if alarm.told_at == now:
            make_notices(alarm, ALARM, supervising_channels(), now)
            told.append(f"Alarm: {alarm}.")
    return told


def end_alarms(found: Conditions, lasting: Mapping[tuple[str, str], Alarm], now: datetime) -> list[str]:
    """Ends what is gone, and tells those who were told of it, inside the caller's transaction."""
    ended = []
    for key, alarm in lasting.items():
        if key in found or timedelta() <= now - alarm.seen_at < settle_time(alarm):
            continue
        if alarm.told_at is None:
            alarm.delete()
            continue
        alarm.over_at = now
        alarm.save(update_fields=["over_at"])
        told = Channel.objects.working().filter(notices__alarm=alarm, notices__type=ALARM)
        make_notices(alarm, ALARM_OVER, told, now)
        ended.append(f"Over: {alarm}.")
    return ended


def settle_time(alarm: Alarm) -> timedelta:
    return SETTLE.get(Alarm.Kind(alarm.kind), timedelta())


def supervising_channels() -> list[Channel]:
    """The channels of users who still supervise."""
    channels = Channel.objects.working().filter(user__is_active=True).select_related("user")
    return [channel for channel in channels if sees_all(channel.user)]


def make_notices(alarm: Alarm, type: str, channels: Iterable[Channel], now: datetime) -> None:  # noqa: A002
    Notice.objects.bulk_create(
        [Notice(channel=channel, alarm=alarm, type=type, due_at=now) for channel in channels], ignore_conflicts=True
    )
