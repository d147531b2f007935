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
