"""Reads the weekly patterns that people and programs send: schedules of operators, opening hours of sources."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import FieldError, Invalid

MOST_SHIFTS = 50
CLOCK = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")
MIDNIGHT = "24:00"  # as `to` only: the end of a day, as "00:00" is, but also of one that begins at "00:00"


def read_shifts(*, time_zone: object, shifts: object) -> tuple[str, list[dict[str, Any]]]:
    """The time zone and the shifts in order, each once, as they are stored.

    Without shifts the time zone may be missing: that of the service is returned. Raises Invalid, which names every bad
    field: `time_zone`, `weekly`, `weekly.2.to`.
    """
    errors = list(shift_errors(shifts))
    if time_zone is None and shifts == []:
        time_zone = settings.TIME_ZONE
    if time_zone is None:
        errors.insert(0, FieldError("time_zone", "required", _("A time zone is required.")))
    elif not isinstance(time_zone, str) or time_zone not in time_zones():
        detail = _("This time zone does not exist. Send a name such as Europe/Moscow.")
        errors.insert(0, FieldError("time_zone", "unknown", detail))
    if errors:
        raise Invalid(*errors)
    assert isinstance(shifts, list)
    read = {(shift["weekday"], shift["from"], shift["to"]) for shift in shifts}
    return str(time_zone), [{"weekday": day, "from": begin, "to": end} for day, begin, end in sorted(read)]


@cache
def time_zones() -> frozenset[str]:
    """The names of all time zones, which are read from the disk."""
    return frozenset(available_timezones())


def shift_errors(shifts: object) -> Iterator[FieldError]:
    if not isinstance(shifts, list):
        code = "required" if shifts is None else "not_a_list"
        yield FieldError("weekly", code, _("A list of weekly hours is required."))
        return
    if len(shifts) > MOST_SHIFTS:
        detail = _("At most %(number)s entries are allowed.") % {"number": MOST_SHIFTS}
        yield FieldError("weekly", "max_length", detail)
        return
    for place, shift in enumerate(shifts):
        for name, code, detail in errors_of(shift):
            yield FieldError(f"weekly.{place}.{name}".rstrip("."), code, detail)


def errors_of(shift: object) -> Iterator[tuple[str, str, str]]:
    """Name of the field, code and sentence of everything that is wrong with this one."""
    if not isinstance(shift, Mapping):
        yield "", "invalid", _("An object with weekday, from and to is required.")
        return
    weekday, begin, end = (shift.get(name) for name in ("weekday", "from", "to"))
    if type(weekday) is not int or not 1 <= weekday <= 7:
        yield "weekday", "invalid", _("A weekday is a number from 1 (Monday) to 7 (Sunday).")
    if not is_clock(begin):
        yield "from", "invalid", _("A time of day such as 09:00 is required.")
    if not is_clock(end) and end != MIDNIGHT:
        yield "to", "invalid", _("A time of day such as 18:00 is required; 24:00 is the end of the day.")
    elif begin == end:
        yield "to", "empty", _("The hours must not begin and end at the same time. A whole day is 00:00 to 24:00.")


def is_clock(value: object) -> bool:
    return isinstance(value, str) and bool(CLOCK.fullmatch(value))
