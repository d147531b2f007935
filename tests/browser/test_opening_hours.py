"""Opening hours are edited in the browser."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from routing import opening_hours
from tests import characters

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_row_is_added_filled_in_and_saved(page: Page) -> None:
    bot = characters.source("Bot")
    User.objects.create_superuser("vera", password="secret")
    page.goto("/admin/login/")
    page.fill("[name=username]", "vera")
    page.fill("[name=password]", "secret")
    page.click("button[type=submit]")
    page.goto(f"/admin/routing/source/{bot.pk}/hours/")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Add a row").click()
    row = page.locator(".weekly-row")
    for day in ("Mon", "Fri"):
        row.get_by_label(day).check()
    row.get_by_label("from").fill("09:00")
    row.get_by_label("to", exact=True).fill("18:00")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("The opening hours were saved.")).to_be_visible()
    expected = [{"weekday": day, "from": "09:00", "to": "18:00"} for day in (1, 5)]
    assert opening_hours.stored_values(bot.pk)["weekly"] == expected
