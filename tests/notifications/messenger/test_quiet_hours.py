"""Quiet hours are those of the service's time zone, and may cross midnight."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from notifications.messenger.quiet_hours import quiet_until

NIGHT = (time(22), time(8))
NOON = (time(12), time(13))


@pytest.fixture(autouse=True)
def in_moscow(settings):
    settings.TIME_ZONE = "Europe/Moscow"


def moscow(day, hour, minute=0):
    return datetime(2026, 1, day, hour, minute, tzinfo=ZoneInfo("Europe/Moscow"))


@pytest.mark.parametrize(
    ("now", "hours", "end"),
    [
        (moscow(5, 23), NIGHT, moscow(6, 8)),
        (moscow(6, 7, 59), NIGHT, moscow(6, 8)),
        (moscow(6, 8), NIGHT, None),
        (moscow(6, 21, 59), NIGHT, None),
        (moscow(6, 12), NOON, moscow(6, 13)),
        (moscow(6, 13), NOON, None),
        (datetime(2026, 1, 5, 19, 30, tzinfo=UTC), NIGHT, moscow(6, 8)),  # 22:30 in Moscow
        (moscow(5, 23), (None, None), None),
    ],
)
def test_quiet_hours_end_when_they_say(now, hours, end):
    assert quiet_until(now, *hours) == end


def test_they_are_not_those_of_who_looks_at_a_page():
    with timezone.override(ZoneInfo("Asia/Vladivostok")):
        assert quiet_until(moscow(6, 12), *NOON) == moscow(6, 13)


def test_hours_that_the_clock_jumps_over_end(settings):
    settings.TIME_ZONE = "Europe/Berlin"
    now = datetime(2026, 3, 29, 1, 59, 59, tzinfo=ZoneInfo("Europe/Berlin"))  # the next second is 3:00
    end = quiet_until(now, time(1), time(2, 30))
    assert end is not None
    assert quiet_until(end, time(1), time(2, 30)) is None
