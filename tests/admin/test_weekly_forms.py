"""The editor of weekly hours."""

import pytest
from django.http import QueryDict

from core.admin.weekly_forms import WeeklyForm

MORNINGS = [{"weekday": day, "from": "09:00", "to": "12:00"} for day in (1, 2)]
BERLIN = {"time_zone": "Europe/Berlin", "shifts": MORNINGS}


def test_days_with_equal_hours_are_one_row() -> None:
    page = str(WeeklyForm(present=BERLIN)["shifts"])
    assert page.count('weekly-row"') == 2  # the row, and the template of a new one
    assert page.count(" checked>") == 2


def test_a_row_is_a_shift_on_each_of_its_days() -> None:
    data = QueryDict("time_zone=Europe/Berlin&shifts-7-day=1&shifts-7-day=2&shifts-7-from=09:00&shifts-7-to=12:00")
    form = WeeklyForm(data)
    assert form.is_valid()
    assert form.values == BERLIN


def test_an_empty_row_does_not_count() -> None:
    form = WeeklyForm(QueryDict("time_zone=Europe/Berlin&shifts-0-from=&shifts-0-to="))
    assert form.is_valid()
    assert form.values["shifts"] == []


@pytest.mark.parametrize(
    "data",
    [
        "time_zone=Europe/Atlantis",
        "time_zone=",
        "time_zone=UTC&shifts-0-day=1",
        "time_zone=UTC&shifts-0-from=09:00&shifts-0-to=12:00",
        "time_zone=UTC&shifts-0-day=8&shifts-0-from=09:00&shifts-0-to=12:00",
        "time_zone=UTC&shifts-0-day=1&shifts-0-from=25:00&shifts-0-to=12:00",
    ],
)
def test_a_bad_row_is_refused_and_shown_again(data: str) -> None:
    form = WeeklyForm(QueryDict(data))
    assert not form.is_valid()
    if "from=09" in data:
        assert 'value="09:00"' in str(form["shifts"])


def test_the_form_tells_what_the_page_has_shown() -> None:
    shown = WeeklyForm(present=BERLIN)["shown"].value()
    data = QueryDict(mutable=True)
    data.update({"time_zone": "UTC", "shown": shown})
    form = WeeklyForm(data, present={"time_zone": "UTC", "shifts": []})
    assert form.is_valid()
    assert form.seen == BERLIN


@pytest.mark.parametrize("shown", ["", "{", "[1]", "[" * 20_000])
def test_an_unreadable_memory_of_the_page_is_none(shown: str) -> None:
    data = QueryDict(mutable=True)
    data.update({"time_zone": "UTC", "shown": shown})
    form = WeeklyForm(data)
    assert form.is_valid()
    assert form.seen is None
