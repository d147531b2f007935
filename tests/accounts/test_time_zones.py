"""The back-office shows times in the viewer's zone: the profile's, else the browser's, else the service's."""

import re
from datetime import UTC, datetime, time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Profile
from accounts.roles import OPERATOR, SUPERVISOR
from core.changes.models import Change
from notifications.messenger.quiet_hours import quiet_until
from operators.models import Schedule
from routing import operator_actions
from tests import characters
from tests.accounts import people

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 26, 21, 30, tzinfo=UTC)
PROFILE = "/admin/profile/"


@pytest.fixture
def vera():
    return people.account("vera", SUPERVISOR, password=people.PASSWORD)


@pytest.fixture
def browser(client, vera):
    people.sign_in(client)
    return client


def shown_times(browser):
    """The moment of the only change, and the zone that the page names."""
    operator_actions.create_operator(name="Anna", max_load=5)
    Change.objects.update(at=AT)
    page = browser.get("/admin/changes/change/", headers={"Accept-Language": "ru"}).text
    [named] = re.findall(r"Время: ([\w/]+)", page)
    return set(re.findall(r"2[67]\.11\.2026 \d\d:\d\d", page)), named


def choose(browser, zone):
    return browser.post(PROFILE, {"time_zone": zone})


def test_without_anything_it_is_the_services(browser, settings):
    settings.TIME_ZONE = "Europe/Moscow"
    assert shown_times(browser) == ({"27.11.2026 00:30"}, "Europe/Moscow")


def test_the_browsers_zone_is_taken(browser):
    browser.cookies["browser_zone"] = "Asia/Yekaterinburg"
    assert shown_times(browser) == ({"27.11.2026 02:30"}, "Asia/Yekaterinburg")


@pytest.mark.parametrize("zone", ["Mars/Base", "../../etc/passwd", "", "x" * 5000, "Europe/Moscow; DROP", "\x00"])
def test_a_zone_that_does_not_exist_is_ignored(browser, zone):
    browser.cookies["browser_zone"] = zone
    assert shown_times(browser) == ({"26.11.2026 21:30"}, "UTC")


def test_the_profile_overrules_the_browser_and_survives_the_session(browser, vera):
    browser.cookies["browser_zone"] = "Asia/Yekaterinburg"
    choose(browser, "America/New_York")
    browser.logout()
    people.sign_in(browser)
    browser.cookies["browser_zone"] = "Asia/Yekaterinburg"
    assert shown_times(browser) == ({"26.11.2026 16:30"}, "America/New_York")
    assert Profile.objects.get().user == vera


def test_an_empty_zone_in_the_profile_means_the_browsers_again(browser):
    browser.cookies["browser_zone"] = "Asia/Yekaterinburg"
    choose(browser, "America/New_York")
    choose(browser, "")
    assert shown_times(browser)[1] == "Asia/Yekaterinburg"


def test_an_unknown_zone_is_not_saved(browser):
    assert "time_zone" in choose(browser, "Europe/Msk").context["form"].errors
    assert not Profile.objects.exists()


def test_nobody_sees_the_zone_of_a_colleague(browser):
    choose(browser, "America/New_York")
    boris = people.account("boris", SUPERVISOR, password=people.PASSWORD)
    browser.logout()
    people.sign_in(browser, username=boris.username)
    assert shown_times(browser)[1] == "UTC"


def test_operators_have_a_profile_too():
    browser = people.at_the_browser(people.account("anna", OPERATOR))
    assert choose(browser, "Asia/Tokyo")["Location"] == PROFILE


def test_a_page_asks_for_no_profile(browser):
    choose(browser, "Asia/Tokyo")
    with CaptureQueriesContext(connection) as asked:
        browser.get("/admin/password_change/")
    assert asked.captured_queries
    assert not [query for query in asked.captured_queries if Profile._meta.db_table in query["sql"]]


def test_the_zone_ends_with_the_request(browser):
    choose(browser, "Asia/Tokyo")
    browser.get(PROFILE)
    assert timezone.get_current_timezone_name() == "UTC"


def test_the_api_stays_in_utc(api):
    characters.operator("Anna")
    api.cookies["browser_zone"] = "Asia/Tokyo"
    [anna] = api.get("/api/v1/operators").json()
    assert anna["created_at"].endswith("Z")


def test_quiet_hours_follow_the_service_not_the_page():
    with timezone.override("Asia/Tokyo"):
        assert quiet_until(AT, time(21), time(22)) == AT.replace(hour=22, minute=0)


def test_the_shifts_of_an_operator_are_on_their_own_clock_and_say_so(browser):
    anna = characters.operator("Anna")
    Schedule.objects.create(operator=anna, time_zone="Asia/Tokyo", shifts=[])
    browser.cookies["browser_zone"] = "Europe/Moscow"
    page = browser.get(f"/admin/operators/operator/{anna.pk}/shifts/", headers={"Accept-Language": "en"}).text
    assert "Times: Asia/Tokyo, on the operator" in page
    assert "Times: Europe/Moscow" not in page


def test_a_leave_is_shown_on_the_operators_clock_which_is_named(browser):
    anna = characters.operator("Anna")
    Schedule.objects.create(operator=anna, time_zone="Asia/Tokyo", shifts=[])
    browser.cookies["browser_zone"] = "Europe/Moscow"
    days = {"operator": anna.pk, "first": "2099-01-05", "last": "2099-01-09", "reason": ""}
    page = browser.post("/admin/operators/operator/leave/", days, follow=True, headers={"Accept-Language": "ru"}).text
    assert "05.01.2099 00:00 – Сб 10.01.2099 00:00 (Asia/Tokyo)" in page
