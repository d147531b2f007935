"""The way in, in a real browser: password, second factor, and what an operator finds behind the door."""

import re

import pytest
from django.contrib.auth.models import User
from django_otp.plugins.otp_totp.models import TOTPDevice
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.roles import OPERATOR
from tests import characters
from tests.accounts import people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def vera() -> User:
    return User.objects.create_superuser("vera", password=people.PASSWORD)


def sign_in(page: Page, username: str = "vera", password: str = people.PASSWORD) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def test_a_second_factor_is_set_up_and_asked_for(page: Page, vera: User):
    sign_in(page)
    page.locator("#nav-sidebar").get_by_text("vera", exact=True).click()
    page.get_by_role("link", name="Two-factor sign-in").click()
    expect(page.locator(".qr-code svg")).to_be_visible()
    app = TOTPDevice.objects.get()
    page.get_by_role("textbox", name="Code").fill(people.shown_by(app))
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    page.get_by_role("link", name="Back to the back-office").click()
    expect(page).to_have_url(re.compile("/admin/$"))
    page.context.clear_cookies()
    sign_in(page)
    expect(page).to_have_url(re.compile("/two-factor/code/$"))
    page.get_by_role("textbox", name="Code").fill(people.shown_next_by(app))
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#nav-sidebar").get_by_role("link", name="Operators")).to_be_visible()


def test_whoever_guesses_is_told_to_wait(browser: Browser, live_server: LiveServer, vera: User):
    page = browser.new_page(base_url=live_server.url, locale="en-US")  # a 429 is what is expected here
    for number in range(5):
        sign_in(page, password=f"guess {number}")
    expect(page.get_by_role("heading", name="Too many attempts")).to_be_visible()
    expect(page.get_by_text("for up to 15 minutes")).to_be_visible()
    page.close()


def test_an_administrator_resets_a_second_factor(page: Page, vera: User):
    boris = people.account("boris")
    people.app_of(boris)
    sign_in(page)
    page.wait_for_url("**/admin/")
    page.goto(f"/admin/auth/user/{boris.pk}/change/")
    page.get_by_role("link", name="Reset two-factor sign-in").click()
    page.locator("#dialog").get_by_role("button", name="Reset").click()
    expect(page.get_by_text("Two-factor sign-in was reset.")).to_be_visible()
    assert not TOTPDevice.objects.exists()


@pytest.mark.parametrize("width", [390, 1440])
def test_an_operator_finds_their_contacts_takes_one_and_gives_one_back(page: Page, width: int):
    page.set_viewport_size({"width": width, "height": 900})
    user = people.account("anna", OPERATOR)
    user.set_password(people.PASSWORD)
    user.save()
    bot = characters.source("Telegram", roster={characters.operator("Anna", user=user): 10})
    other, contact = (characters.contact(bot, lead_name=name, message="Price?") for name in ("Ivan", "Ж" * 60))
    sign_in(page, "anna")
    expect(page.get_by_role("button", name="Take")).to_have_count(2)
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
    page.get_by_role("button", name="Take").first.click()
    expect(page.get_by_text("Taken: Ivan.")).to_be_visible()
    page.locator(f"#give-back-{contact.pk}").click()
    page.get_by_label("Why?").fill("On lunch")
    page.get_by_role("button", name="Give back", exact=True).click()
    expect(page.get_by_text("It waits in the queue.")).to_be_visible()
    page.get_by_role("link", name=f"Contact {other.pk}").click()
    expect(page.get_by_text("Price?")).to_be_visible()
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text(f"Contact {other.pk} is resolved.")).to_be_visible()
    # Once its styles are there and the dialog has gone.
    page.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
