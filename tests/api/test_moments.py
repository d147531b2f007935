"""A moment without an offset is UTC, whatever TIME_ZONE says."""

from datetime import UTC, datetime

import pytest
import time_machine

from tests import characters

API = "/api/v1"
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(params=["Asia/Vladivostok", "America/St_Johns", "UTC"])
def elsewhere(settings, request):
    settings.TIME_ZONE = request.param


@pytest.fixture
def contact(db, elsewhere):
    with time_machine.travel(NOON, tick=False):
        return characters.contact(characters.source(roster={characters.operator(): 10}))


@pytest.mark.parametrize("offset", ["", "Z", "+00:00"])
def test_a_period_of_contacts_is_in_utc(api, contact, offset):
    def found(**period):
        return [row["id"] for row in api.get(f"{API}/contacts", period).json()["results"]]

    before, after = f"2026-03-10T11:59:00{offset}", f"2026-03-10T12:01:00{offset}"
    assert found(created_after=before, created_before=after) == [contact.pk]
    assert found(created_after=after) == found(created_before=before) == []


def test_another_offset_is_what_it_says(api, contact):
    period = {"created_after": "2026-03-10T14:59:00+03:00", "created_before": "2026-03-10T15:01:00+03:00"}
    assert len(api.get(f"{API}/contacts", period).json()["results"]) == 1


def test_a_date_is_its_midnight_in_utc(api, contact):
    period = {"created_after": "2026-03-10", "created_before": "2026-03-11"}
    assert len(api.get(f"{API}/contacts", period).json()["results"]) == 1
    assert api.get(f"{API}/contacts", {"created_after": "2026-03-11"}).json()["results"] == []


@pytest.mark.parametrize("offset", ["", "Z"])
def test_the_period_of_a_distribution_is_in_utc(api, contact, offset):
    def assigned(since, until):
        period = {"from": f"2026-03-10T{since}{offset}", "to": f"2026-03-10T{until}{offset}"}
        return sum(row["assigned"] for row in api.get(f"{API}/stats/distribution", period).json())

    assert assigned("11:59:00", "12:01:00") == 1
    assert assigned("12:01:00", "23:00:00") == assigned("00:00:00", "11:59:00") == 0


def test_an_hour_that_a_time_zone_skips_exists_in_utc(api, contact, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    assert api.get(f"{API}/contacts", {"created_before": "2026-03-29T02:30:00"}).status_code == 200
    assert api.get(f"{API}/stats/distribution", {"to": "2026-03-29T02:30:00"}).status_code == 200
