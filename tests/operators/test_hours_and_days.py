"""Hours and days of caps are those of the clock in the service's time zone, also when it is changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators import caps

BERLIN, KOLKATA, LORD_HOWE = (ZoneInfo(name) for name in ("Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"))


def utc(year, month, day, hour, minute=0):
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def hours_of_day(moment, zone):
    """All hours of the day that contains this moment."""
    begin, end = caps.day_around(moment, zone)
    hours = []
    while begin < end:
        hours.append(caps.hour_around(begin, zone))
        begin = hours[-1][1]
    return hours


@pytest.mark.parametrize(
    ("moment", "zone", "number"),
    [
        (utc(2026, 3, 29, 12), BERLIN, 23),
        (utc(2026, 10, 25, 12), BERLIN, 25),
        (utc(2026, 6, 1, 12), BERLIN, 24),
        (utc(2026, 6, 1, 12), KOLKATA, 24),
    ],
)
def test_a_day_has_as_many_hours_as_its_clock_shows(moment, zone, number):
    hours = hours_of_day(moment, zone)
    assert len(hours) == number
    assert {end - begin for begin, end in hours} == {caps.HOUR}


def test_where_the_clock_is_half_an_hour_off_hours_begin_at_half_past():
    assert caps.hour_around(utc(2026, 6, 1, 12, 29), KOLKATA) == (utc(2026, 6, 1, 11, 30), utc(2026, 6, 1, 12, 30))
    assert caps.day_around(utc(2026, 6, 1, 12), KOLKATA) == (utc(2026, 5, 31, 18, 30), utc(2026, 6, 1, 18, 30))


def test_the_doubled_hour_is_two_hours():
    first, second = (caps.hour_around(utc(2026, 10, 25, hour, 30), BERLIN) for hour in (0, 1))
    assert first == (utc(2026, 10, 25, 0), utc(2026, 10, 25, 1))
    assert second == (utc(2026, 10, 25, 1), utc(2026, 10, 25, 2))


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.sampled_from([BERLIN, KOLKATA, LORD_HOWE]))
def test_hours_follow_one_another_without_a_gap(naive, zone):
    moment = naive.replace(tzinfo=UTC)
    begin, end = caps.hour_around(moment, zone)
    assert begin <= moment < end
    assert caps.hour_around(begin, zone) == (begin, end)
    assert caps.hour_around(end, zone)[0] == end
    assert caps.hour_around(begin - timedelta(seconds=1), zone)[1] == begin
