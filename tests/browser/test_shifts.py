"""Shifts in a real browser: off for lunch, an absence, a schedule, the holidays; also on a phone."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.roles import OPERATOR
from operators.models import Absence, Operator, Schedule
from tests import characters
from tests.accounts import people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
each_width = pytest.mark.parametrize("width", [390, 1440])


@pytest.fixture
def sign_in(page: Page, client: Client, live_server: LiveServer):
    def sign_in(user: User, width: int) -> None:
        page.set_viewport_size({"width": width, "height": 900})
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        session = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])

    return sign_in


@pytest.fixture
def anna(db: None) -> Operator:
    return characters.operator("Anna")


@pytest.fixture
def shifts(page: Page, sign_in, anna: Operator):
    """The page of Anna's shifts, before a supervisor."""

    def shifts(width: int) -> Page:
        sign_in(User.objects.create_superuser("vera"), width)
        page.goto(f"/admin/operators/operator/{anna.pk}/shifts/")
        return page

    return shifts


@each_width
def test_off_for_lunch_by_one_press_and_back_by_another(page: Page, sign_in, anna: Operator, width: int):
    anna.user = people.account("anna", OPERATOR)
    anna.save()
    sign_in(anna.user, width)
    page.goto("/admin/")
    page.get_by_role("button", name="Pause 30 min").click()
    expect(page.get_by_text("Off duty, paused until")).to_be_visible()
    assert not Operator.objects.get().is_active
    page.get_by_role("button", name="End the pause").click()
    expect(page.locator(".desk-present", has_text="On duty")).to_be_visible()
    assert Operator.objects.get().is_active
    page.locator("#content").get_by_role("link", name="My shifts").click()
    expect(page.get_by_role("heading", name="Weekly schedule")).to_be_visible()
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)


@each_width
def test_an_absence_is_added_after_a_mistake_without_typing_again(shifts, anna: Operator, width: int):
    page = shifts(width)
    day = timezone.localdate() + timedelta(days=3)
    page.get_by_label("First day").fill(day.isoformat())
    page.get_by_label("Last day").fill((day - timedelta(days=1)).isoformat())
    page.get_by_label("Reason").fill("Vacation")
    page.get_by_role("button", name="Add the absence").click()
    expect(page.get_by_text("The last day must not be before the first day.")).to_be_visible()
    page.get_by_label("Last day").fill((day + timedelta(days=1)).isoformat())
    page.get_by_role("button", name="Add the absence").click()
    expect(page.get_by_text("The absence was added.")).to_be_visible()
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
    absence = Absence.objects.get()
    assert (absence.reason, absence.end - absence.start) == ("Vacation", timedelta(days=2))
    page.get_by_role("button", name="Call off").click()
    expect(page.get_by_text("No absence is planned.")).to_be_visible()


@each_width
def test_a_schedule_is_made_of_rows(shifts, anna: Operator, width: int):
    page = shifts(width)
    rows = page.locator(".weekly-row")
    for day in ("Mon", "Tue"):
        rows.nth(0).get_by_label(day).check()
    rows.nth(0).get_by_label("from").fill("09:00")
    rows.nth(0).get_by_label("to").fill("18:00")
    page.get_by_role("button", name="Add a row").click()
    rows.nth(1).get_by_label("Sat").check()
    rows.nth(1).get_by_label("from").fill("22:00")
    rows.nth(1).get_by_label("to").fill("02:00")
    page.get_by_role("button", name="Save the schedule").click()
    expect(page.get_by_text("The schedule was saved.")).to_be_visible()
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
    assert [(one["weekday"], one["from"]) for one in Schedule.objects.get().shifts] == [
        (1, "09:00"),
        (2, "09:00"),
        (6, "22:00"),
    ]


@each_width
def test_holidays_are_looked_at_and_imported(page: Page, sign_in, anna: Operator, width: int):
    sign_in(User.objects.create_superuser("vera"), width)
    year = timezone.localdate().year + 1
    page.goto("/admin/holidays/")
    page.get_by_label("Country").select_option("DE")
    page.get_by_role("button", name="Show the holidays").click()
    page.get_by_label("Labor Day").uncheck()
    page.get_by_role("button", name="Add as absences").click()
    expect(page.get_by_text("8 absences were added.")).to_be_visible()
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
    assert date(year, 5, 1) not in [start.date() for start in Absence.objects.values_list("start", flat=True)]


def test_countries_are_named_in_the_language_of_the_page(page: Page, sign_in, live_server: LiveServer):
    sign_in(User.objects.create_superuser("vera"), 1440)
    page.context.add_cookies([{"name": "django_language", "value": "ru", "url": live_server.url}])
    page.goto("/admin/holidays/")
    expect(page.locator("[data-regions] option:checked")).to_have_text("Россия")


def test_back_does_not_fill_in_an_absence_again(shifts, anna: Operator, page: Page):
    shifts(1440)
    page.get_by_label("Reason").fill("Vacation")
    page.goto("/admin/")
    page.go_back()
    expect(page.get_by_label("Reason")).to_have_value("")
