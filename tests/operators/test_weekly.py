"""The arithmetic of weekly patterns, against a model that reads the wall clock minute by minute."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from operators.weekly import Shift, Weekly

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FIRST, LAST = datetime(2015, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)

# Zones and days whose clocks do what is rare: half an hour, midnight, a day left out, a zone without changes.
RARE = {
    "America/Sao_Paulo": datetime(2018, 11, 4, 3, tzinfo=UTC),  # midnight does not exist
    "America/Sao_Paulo ": datetime(2018, 2, 18, 2, tzinfo=UTC),  # 23:00 of Saturday comes twice
    "Australia/Lord_Howe": datetime(2025, 4, 5, 15, tzinfo=UTC),
    "Australia/Lord_Howe ": datetime(2025, 10, 4, 15, 30, tzinfo=UTC),
    "Europe/Berlin": datetime(2026, 3, 29, 1, tzinfo=UTC),
    "Europe/Berlin ": datetime(2026, 10, 25, 1, tzinfo=UTC),
    "Pacific/Apia": datetime(2011, 12, 30, 10, tzinfo=UTC),  # Friday the 30th was left out
    "Asia/Kathmandu": datetime(2026, 3, 29, 1, tzinfo=UTC),
    "Africa/Casablanca": datetime(2026, 2, 15, 2, tzinfo=UTC),
    "Asia/Pyongyang": datetime(2018, 5, 4, 15, tzinfo=UTC),
}


def minutes_of(weekly: Weekly, start: datetime, end: datetime) -> list[bool]:
    """For each minute whether the pattern covers it, by walking through the minutes and looking at the clock.

    A boundary (day and time of the wall clock) is reached at the first minute at which the clock shows it or more.
    """
    walk_from = start - 3 * DAY
    walls = [wall_at(weekly.zone, walk_from + n * MINUTE) for n in range((end + 2 * DAY - walk_from) // MINUTE)]
    covered = [0] * (len(walls) + 1)
    # The greatest wall clock until now never falls: the first minute that reaches a boundary is found by walking.
    reached, greatest = list[datetime](), datetime.min
    for wall in walls:
        greatest = max(greatest, wall)
        reached.append(greatest)
    for begin, until in boundaries(weekly, walls[0].date(), walls[-1].date()):
        first, last = first_reaching(reached, begin), first_reaching(reached, until)
        covered[first] += 1
        covered[last] -= 1
    depth, found = 0, []
    for step in covered:
        depth += step
        found.append(depth > 0)
    skip = (start - walk_from) // MINUTE
    return found[skip : skip + (end - start) // MINUTE]


def wall_at(zone: ZoneInfo, moment: datetime) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def boundaries(weekly: Weekly, day: date, last: date) -> Iterator[tuple[datetime, datetime]]:
    while day <= last:
        for shift in weekly.shifts:
            if shift.weekday == day.isoweekday():
                begin = datetime.combine(day, shift.start)
                until = datetime.combine(day, shift.end)
                yield begin, until if shift.end > shift.start else until + DAY
        day += DAY


def first_reaching(reached: list[datetime], wall: datetime) -> int:
    return next((n for n, shown in enumerate(reached) if shown >= wall), len(reached))


clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 45, 59]))
shifts = st.builds(Shift, st.integers(1, 7), clocks, clocks).filter(lambda shift: shift.start != shift.end)
patterns = st.lists(shifts, min_size=1, max_size=6)


def transitions(zone: ZoneInfo) -> list[datetime]:
    """When the zone's clock jumped, to the hour before."""
    found, moment = [], FIRST
    while moment < LAST:
        if moment.astimezone(zone).utcoffset() != (moment + 7 * DAY).astimezone(zone).utcoffset():
            found.append(moment + bisect(zone, moment))
        moment += 7 * DAY
    return found


def bisect(zone: ZoneInfo, moment: datetime) -> timedelta:
    low, high, before = timedelta(), 7 * DAY, moment.astimezone(zone).utcoffset()
    while high - low > HOUR:
        middle = (low + high) / 2
        low, high = (middle, high) if (moment + middle).astimezone(zone).utcoffset() == before else (low, middle)
    return timedelta(hours=low // HOUR)


def agrees(weekly: Weekly, start: datetime, end: datetime) -> None:
    expected = minutes_of(weekly, start, end)
    intervals = weekly.intervals(start, end)
    got = [False] * len(expected)
    for begin, until in intervals:
        for n in range((begin - start) // MINUTE, (until - start) // MINUTE):
            got[n] = True
    assert got == expected
    assert all(left[1] < right[0] for left, right in pairwise(intervals))


def edges_agree(weekly: Weekly, start: datetime, end: datetime) -> None:
    """`next_edge` walks along the ends of the intervals, and `covers` is true between them."""
    intervals = weekly.intervals(start, end)
    edges = [edge for interval in intervals for edge in interval if start < edge < end]
    walked, moment = [], start
    while (edge := weekly.next_edge(moment)) and edge < end:
        walked.append(edge)
        moment = edge
    assert walked == edges
    for begin, until in intervals:
        assert weekly.covers(begin)
        assert weekly.covers(until - MINUTE)
        assert until == end or not weekly.covers(until)


@pytest.mark.parametrize("name", RARE)
@settings(max_examples=6)
@given(patterns, st.integers(-26 * 60, 26 * 60))
def test_intervals_near_rare_jumps_are_those_of_the_wall_clock(name, pattern, offset):
    weekly = Weekly(ZoneInfo(name.strip()), pattern)
    middle = RARE[name] + offset * MINUTE
    agrees(weekly, middle - 2 * DAY, middle + 2 * DAY)
    edges_agree(weekly, middle - 8 * DAY, middle + 8 * DAY)


@settings(max_examples=40)
@given(st.sampled_from(sorted(available_timezones())), patterns, st.data())
def test_intervals_of_all_zones_are_those_of_the_wall_clock(name, pattern, data):
    zone = ZoneInfo(name)
    weekly = Weekly(zone, pattern)
    anywhere = st.integers(0, (LAST - FIRST) // HOUR).map(lambda hours: FIRST + hours * HOUR)
    jumps = transitions(zone)
    middle = data.draw(st.sampled_from(jumps) if jumps else anywhere)
    agrees(weekly, middle - 2 * DAY, middle + 2 * DAY)
    edges_agree(weekly, middle - 8 * DAY, middle + 8 * DAY)


@given(patterns, st.integers(0, 7 * 24 * 60), st.integers(1, 5 * 24 * 60), st.integers(1, 5 * 24 * 60))
@example([Shift(1, time(0), time(0))], 0, 60, 60)
def test_two_stretches_are_one(pattern, begin, first, second):
    """Asking for a time in two parts finds the same."""
    weekly = Weekly(ZoneInfo("Europe/Berlin"), pattern)
    start = datetime(2026, 10, 19, tzinfo=UTC) + begin * MINUTE
    middle, end = start + first * MINUTE, start + (first + second) * MINUTE
    parts = [*weekly.intervals(start, middle), *weekly.intervals(middle, end)]
    assert sum((until - since for since, until in parts), timedelta()) == sum(
        (until - since for since, until in weekly.intervals(start, end)), timedelta()
    )


def hours(zone: str, shift: Shift, day: datetime) -> list[str]:
    weekly = Weekly(ZoneInfo(zone), [shift])
    return [f"{moment:%H:%M}" for interval in weekly.intervals(day, day + DAY) for moment in interval]


def test_a_begin_that_the_clock_jumps_over_is_at_the_jump():
    assert hours("Europe/Berlin", Shift(7, time(2, 30), time(6)), RARE["Europe/Berlin"] - HOUR) == ["01:00", "04:00"]


def test_a_begin_that_comes_twice_is_the_first():
    autumn = RARE["Europe/Berlin "] - HOUR
    assert hours("Europe/Berlin", Shift(7, time(2, 30), time(6)), autumn) == ["00:30", "05:00"]


def test_an_end_that_comes_twice_is_the_first():
    autumn = RARE["Europe/Berlin "] - 2 * HOUR
    assert hours("Europe/Berlin", Shift(7, time(1), time(2, 30)), autumn) == ["23:00", "00:30"]


def test_shifts_that_the_clock_jumps_over_cover_nothing():
    assert hours("Europe/Berlin", Shift(7, time(2, 10), time(2, 50)), RARE["Europe/Berlin"] - HOUR) == []
    left_out = datetime(2011, 12, 29, 12, tzinfo=UTC)
    assert Weekly(ZoneInfo("Pacific/Apia"), [Shift(5, time(9), time(18))]).intervals(left_out, left_out + DAY) == []


def test_all_the_week_has_no_edge():
    weekly = Weekly(ZoneInfo("Europe/Berlin"), [Shift(day, time(0), time(0)) for day in range(1, 8)])
    assert weekly.next_edge(RARE["Europe/Berlin"] - HOUR) is None
    assert weekly.covers(RARE["Europe/Berlin"])


def test_without_shifts_nothing_is_covered():
    weekly = Weekly(ZoneInfo("UTC"), [])
    assert not weekly.covers(FIRST)
    assert weekly.next_edge(FIRST) is None
