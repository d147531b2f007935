"""Dialogs by keyboard, and pages that ask before typed text is lost."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from operators.models import Operator
from tests import characters
from tests.browser.conftest import kinds_of_questions

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def anna() -> Operator:
    return characters.operator("Anna")


@pytest.fixture
def vera(anna: Operator, page: Page, client: Client, live_server: LiveServer) -> Page:
    """A supervisor, signed in, on the page of an operator."""
    client.force_login(User.objects.create_superuser("vera"))
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(f"/admin/operators/operator/{anna.pk}/change/")
    return page


def test_the_focus_goes_into_a_dialog_stays_there_and_returns(vera: Page):
    opener = vera.get_by_role("link", name="Move to the archive")
    opener.focus()
    vera.keyboard.press("Enter")
    dialog = vera.get_by_role("dialog", name="Move this operator to the archive?")
    expect(dialog).to_be_visible()
    for _ in range(5):
        expect(dialog.locator(":focus")).to_have_count(1)
        vera.keyboard.press("Tab")
    vera.keyboard.press("Shift+Tab")
    expect(dialog.locator(":focus")).to_have_count(1)
    vera.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


@pytest.mark.parametrize(
    ("path", "field", "typed"),
    [
        ("operators/operator/{anna}/shifts/", "absence-reason", "Holiday"),
        ("routing/source/{bot}/hours/", "time_zone", "Europe/Moscow"),
        ("access/apikey/add/", "name", "Bot"),
        ("operators/operator/leave/", "first", "2099-01-05"),
    ],
)
def test_forms_on_pages_of_their_own_ask_before_what_was_typed_is_lost(
    vera: Page, anna: Operator, path: str, field: str, typed: str
):
    bot = characters.source("Telegram", roster={anna: 10})
    asked = kinds_of_questions(vera)
    vera.goto(f"/admin/{path.format(anna=anna.pk, bot=bot.pk)}")
    vera.goto("/admin/operators/operator/")
    assert asked == []
    vera.goto(f"/admin/{path.format(anna=anna.pk, bot=bot.pk)}")
    vera.locator(f"[name={field}]").fill(typed)
    vera.goto("/admin/operators/operator/")
    assert asked == ["beforeunload"]
