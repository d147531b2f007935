"""Caps and pace: how many contacts an operator gets in an hour, in a day, and out of the queue in a minute.

Everything is counted in the operator's row, from values that were read under its lock. Only operators who have a cap
are counted. Hours and days are those of the clock in `TIME_ZONE`: a day may have 23 or 25 of them, and where the clock
is half an hour off, its hours begin at half past in UTC.
"""

from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from operators.models import Operator
from operators.weekly import Interval, Weekly

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
# Another host, whose clock is this much ahead, may count in the next hour already. One that is further ahead was wrong.
AHEAD = timedelta(minutes=10)

COUNTED = ("counted_hour", "in_hour", "counted_day", "in_day", "capped_until")  # the columns that are kept here
NUMBERS = ("in_hour", "in_day")  # those of them that grow by one with each contact

Fields = dict[str, Any]


def hour_around(moment: datetime, zone: tzinfo | None = None) -> Interval:
    """The hour of the zone's clock that contains the moment: from one full hour to the next, or to the moment at which
    that clock is changed. By default of the service's time zone."""
    zone = zone or timezone.get_default_timezone()
    local = moment.astimezone(zone)
    begin = moment.astimezone(UTC) - timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    end, offset = begin + HOUR, local.utcoffset()
    if begin.astimezone(zone).utcoffset() != offset:
        begin = change_of_clock(begin, moment, zone)
    if (end - timedelta.resolution).astimezone(zone).utcoffset() != offset:
        end = change_of_clock(moment, end, zone)
    return begin, end


def change_of_clock(early: datetime, late: datetime, zone: tzinfo) -> datetime:
    """The moment, of these two the one between them or `late`, from which on the clock has the offset of `late`."""
    early, late, offset = early.astimezone(UTC), late.astimezone(UTC), late.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            late = middle
        else:
            early = middle
    return late.replace(microsecond=0)


def day_around(moment: datetime, zone: ZoneInfo | None = None) -> Interval:
    """The day of the zone's clock that contains the moment, from midnight to midnight."""
    calendar = Weekly(zone or ZoneInfo(settings.TIME_ZONE), ())
    today = moment.astimezone(calendar.zone).date()
    return calendar.reached(today, time()), calendar.reached(today + DAY, time())


def has_cap(operator: Operator) -> bool:
    return operator.max_per_hour is not None or operator.max_per_day is not None


def count_one(operator: Operator, now: datetime) -> Fields:
    """What one more contact, assigned now, changes in the row of an operator who was read under its lock; nothing for
    one without caps. A cap that was reached before is left to the clock."""
    if not has_cap(operator):
        return {}
    hour, day = periods_of(operator, now)
    in_hour = operator.in_hour + 1 if operator.counted_hour == hour[0] else 1
    in_day = operator.in_day + 1 if operator.counted_day == day[0] else 1
    reached = capped_until(operator, hour, in_hour, day, in_day) or operator.capped_until
    return dict(zip(COUNTED, (hour[0], in_hour, day[0], in_day, reached), strict=True))


def periods_of(operator: Operator, now: datetime) -> tuple[Interval, Interval]:
    """The hour and the day to count in: those around now, or those that another host, whose clock is a little ahead,
    has begun for this operator."""
    if is_a_little_ahead(operator.counted_hour, now) or is_a_little_ahead(operator.counted_day, now):
        return hour_around(now + AHEAD), day_around(now + AHEAD)
    return periods_of_minute(now.replace(second=0, microsecond=0), settings.TIME_ZONE)


def set_counts(operator: Operator, now: datetime, *, in_hour: int, in_day: int) -> None:
    """Begins to count, after the caps have changed: so many were assigned since the begin of the hour and the day."""
    hour, day = periods_of(operator, now)
    values = (hour[0], in_hour, day[0], in_day, capped_until(operator, hour, in_hour, day, in_day))
    for name, value in zip(COUNTED, values if has_cap(operator) else (None, 0, None, 0, None), strict=True):
        setattr(operator, name, value)


@lru_cache(maxsize=16)
def periods_of_minute(minute: datetime, time_zone: str) -> tuple[Interval, Interval]:
    """The hour and the day around a full minute, kept because many contacts come in one minute."""
    zone = ZoneInfo(time_zone)
    return hour_around(minute, zone), day_around(minute, zone)


def is_a_little_ahead(counted: datetime | None, now: datetime) -> bool:
    """Whether another host, whose clock is a little ahead, has begun to count this hour or day."""
    return counted is not None and now < counted <= now + AHEAD


def capped_until(operator: Operator, hour: Interval, in_hour: int, day: Interval, in_day: int) -> datetime | None:
    """The end of the hour or day whose cap is reached, the later one if both are; None if none is."""
    ends = [
        end
        for (_, end), number, cap in ((hour, in_hour, operator.max_per_hour), (day, in_day, operator.max_per_day))
        if cap is not None and number >= cap
    ]
    return max(ends, default=None)


def reaches_cap(operator: Operator, now: datetime) -> bool:
    """Whether one more contact is the last one for this hour or day."""
    return count_one(operator, now).get("capped_until") is not None


def interval_of(operator: Operator) -> timedelta | None:
    """The least time between two contacts out of the queue; None: no limit."""
    pace = operator.queue_pace or settings.QUEUE_PACE
    return MINUTE / pace if pace else None


def pace_one(operator: Operator, now: datetime) -> Fields:
    """What one contact out of the queue changes in the row; nothing for an operator without a pace.

    Counted from now on: in no minute does anybody get more than the pace allows, though a clock that ticks late gives
    a little less.
    """
    interval = interval_of(operator)
    return {"paced_until": now + interval} if interval else {}


def set_pace(operator: Operator, now: datetime) -> None:
    """After the pace has changed: the next contact comes no later than the new one allows."""
    interval = interval_of(operator)
    if operator.paced_until:
        operator.paced_until = min(operator.paced_until, now + interval) if interval else None
