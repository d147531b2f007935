"""A session ends some hours after the password, however it was used meanwhile."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.accounts import people

BEGUN = timezone.now()


def after(hours):
    return time_machine.travel(BEGUN + timedelta(hours=hours), tick=False)


@pytest.fixture
def browser(db, client):
    """Signed in by password just now."""
    User.objects.create_superuser("vera", password=people.PASSWORD)
    with after(hours=0):
        people.sign_in(client)
    return client


def is_signed_in(browser):
    return browser.get("/admin/").status_code == 200


def test_it_lasts_a_working_day(browser):
    with after(hours=11.9):
        assert is_signed_in(browser)
    with after(hours=12.1):
        assert not is_signed_in(browser)


def test_using_it_does_not_prolong_it(browser):
    with after(hours=11):
        browser.get("/admin/two-factor/")
        browser.post("/admin/two-factor/", {"code": people.shown_by(TOTPDevice.objects.get())})  # changes the session
        assert is_signed_in(browser)
    with after(hours=12.1):
        assert not is_signed_in(browser)


def test_a_wrong_password_does_not_prolong_it(browser):
    with after(hours=11):
        people.sign_in(browser, "wrong")
    with after(hours=12.1):
        assert not is_signed_in(browser)


def test_the_password_does(browser):
    with after(hours=11):
        people.sign_in(browser)
    with after(hours=12.1):
        assert is_signed_in(browser)


def sign_in_after(browser, pressed, **headers):
    """Where somebody comes who has pressed a button after the session has ended, and signs in."""
    asked = browser.post(pressed, headers=headers).url
    return browser.post(asked, {"username": "vera", "password": people.PASSWORD}).url


def test_who_presses_a_button_too_late_comes_back_to_its_page(browser):
    """Where the button has sent the form, there is nothing to look at: that address takes POST only."""
    page, button = "/admin/routing/contact/1/change/?_changelist_filters=p%3D2", "/admin/routing/contact/1/take/"
    with after(hours=12.1):
        assert sign_in_after(browser, button, Referer=f"http://testserver{page}") == page


@pytest.mark.parametrize("page", ["https://evil.example/admin/", "http://testserver/docs", "http://[", ""])
def test_whose_page_is_not_known_comes_to_the_first_one(browser, page):
    with after(hours=12.1):
        assert sign_in_after(browser, "/admin/routing/contact/1/take/", Referer=page) == "/admin/"
