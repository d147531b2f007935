"""The second factor: who has one, or should have one, gets nowhere without it."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import two_factor
from accounts.roles import ADMINISTRATOR, OPERATOR, SUPERVISOR
from tests.accounts import people
from tests.admin import pages

SET_UP, CODE = "/admin/two-factor/", "/admin/two-factor/code/"


@pytest.fixture
def vera(db):
    return people.account("vera", SUPERVISOR)


@pytest.fixture
def browser(vera):
    """Past the password."""
    return people.at_the_browser(vera)


@pytest.fixture
def app(vera):
    return people.app_of(vera)


def codes_on(page):
    return re.findall(r"<li>((?:[a-z2-7]{4} ){3}[a-z2-7]{4})</li>", page.text)


def enter(browser, code, **more):
    return browser.post(CODE, {"code": code} | more)


def may_work(browser):
    return browser.get("/admin/routing/contact/").status_code == 200


def test_it_is_optional(browser):
    assert may_work(browser)


def test_setting_it_up_shows_a_picture_and_the_secret(browser, vera):
    page = browser.get(SET_UP).text
    device = TOTPDevice.objects.get(user=vera)
    assert "<svg" in page
    assert two_factor.device_secret(device) in page
    assert not two_factor.is_on(vera)


def test_a_code_from_the_app_turns_it_on_and_gives_recovery_codes(browser, vera):
    browser.get(SET_UP)
    page = browser.post(SET_UP, {"code": people.shown_by(TOTPDevice.objects.get(user=vera))})
    assert len(set(codes_on(page))) == 10
    assert two_factor.is_on(vera)
    assert may_work(browser)


def test_recovery_codes_are_shown_once(browser, vera):
    browser.get(SET_UP)
    browser.post(SET_UP, {"code": people.shown_by(TOTPDevice.objects.get(user=vera))})
    assert codes_on(browser.get(SET_UP)) == []


def test_a_wrong_code_turns_nothing_on(browser, vera):
    browser.get(SET_UP)
    page = browser.post(SET_UP, {"code": "000000"})
    assert "code" in page.context["form"].errors
    assert not two_factor.is_on(vera)


@pytest.mark.parametrize(
    "url", ["/admin/", "/admin/routing/contact/", "/admin/queue/", "/admin/password_change/", SET_UP, "/admin/nowhere/"]
)
def test_the_password_alone_leads_to_the_code_only(browser, app, url):
    assert browser.get(url)["Location"] == CODE
    assert browser.post(url)["Location"] == CODE


def test_the_code_opens(browser, app):
    assert enter(browser, people.shown_by(app))["Location"] == "/admin/"
    assert may_work(browser)


def test_a_code_may_be_spaced(browser, app):
    code = people.shown_by(app)
    enter(browser, f" {code[:3]} {code[3:]} ")
    assert may_work(browser)


def test_a_wrong_code_does_not_open(browser, app):
    assert "code" in enter(browser, "000000").context["form"].errors
    assert not may_work(browser)


def test_a_code_is_good_once(browser, app, vera):
    code = people.shown_by(app)
    enter(browser, code)
    again = people.at_the_browser(vera)
    enter(again, code)
    assert not may_work(again)


def test_guessing_codes_takes_longer_and_longer(browser, app):
    now = timezone.now()
    for seconds, code in [(0, "000000"), (1, "000000"), (2, "right")]:  # two failures: a wait of two seconds
        with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
            enter(browser, people.shown_by(app) if code == "right" else code)
            assert not may_work(browser)
    with time_machine.travel(now + timedelta(seconds=4), tick=False):
        enter(browser, people.shown_by(app))
        assert may_work(browser)


def test_a_recovery_code_opens_once(browser, app, vera):
    code, *_ = two_factor.fresh_recovery_codes(vera)
    enter(browser, code.upper())
    assert may_work(browser)
    again = people.at_the_browser(vera)
    enter(again, code)
    assert not may_work(again)


def test_a_recovery_code_is_typed_as_it_is_shown(browser, app, vera):
    enter(browser, people.shown_by(app))
    first, *others = two_factor.fresh_recovery_codes(vera)
    shown, *_ = codes_on(browser.post(SET_UP, {"code": first}))
    again = people.at_the_browser(vera)
    enter(again, shown.replace(" ", "-").upper())
    assert may_work(again)
    assert two_factor.matching_device(vera, others[0]) is None


def test_no_recovery_code_stands_in_the_database(vera):
    codes = two_factor.fresh_recovery_codes(vera)
    kept = StaticToken.objects.values_list("token", flat=True)
    assert len(set(kept)) == 10
    assert set(kept).isdisjoint(codes)
    assert two_factor.matching_device(vera, kept[0]) is None


def test_wrong_recovery_codes_do_not_slow_the_app_down(browser, app, vera):
    two_factor.fresh_recovery_codes(vera)
    for _ in range(4):
        enter(browser, "aaaabbbb")
    enter(browser, people.shown_by(app))
    assert may_work(browser)


def test_the_session_key_changes_with_the_second_factor(browser, app):
    before = browser.session.session_key
    enter(browser, people.shown_by(app))
    assert browser.session.session_key != before


def test_another_ones_code_is_worth_nothing(browser, app):
    enter(browser, people.shown_by(people.app_of(people.account("boris"))))
    assert not may_work(browser)


def test_new_recovery_codes_replace_the_old(browser, app, vera):
    old, *others = two_factor.fresh_recovery_codes(vera)
    enter(browser, people.shown_by(app))
    page = browser.post(SET_UP, {"code": others[0]})
    assert len(codes_on(page)) == 10
    assert two_factor.matching_device(vera, old) is None


def test_turning_it_off_takes_a_code(browser, app, vera):
    code, *_ = two_factor.fresh_recovery_codes(vera)
    enter(browser, people.shown_by(app))
    browser.post(SET_UP, {"code": "wrong", "turn_off": "yes"})
    assert two_factor.is_on(vera)
    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        browser.post(SET_UP, {"code": code, "turn_off": "yes"})
    assert not two_factor.is_on(vera)


@pytest.mark.parametrize(("role", "demanded"), [(SUPERVISOR, True), (ADMINISTRATOR, True), (OPERATOR, False)])
def test_roles_that_must_have_it_are_led_to_set_it_up(db, settings, role, demanded):
    settings.TWO_FACTOR_ROLES = [ADMINISTRATOR, SUPERVISOR]
    answer = people.at_the_browser(people.account("olga", role)).get("/admin/")
    assert (answer.headers.get("Location") == SET_UP) is demanded


@pytest.mark.parametrize("role", [ADMINISTRATOR, SUPERVISOR])
def test_a_superuser_must_have_it_when_any_role_must(db, client, settings, role):
    settings.TWO_FACTOR_ROLES = [role]
    client.force_login(User.objects.create_superuser("boss"), "django.contrib.auth.backends.ModelBackend")
    assert client.get("/admin/queue/")["Location"] == SET_UP


def test_where_no_role_must_have_it_a_superuser_need_not(db, client, settings):
    settings.TWO_FACTOR_ROLES = []
    client.force_login(User.objects.create_superuser("boss"), "django.contrib.auth.backends.ModelBackend")
    assert client.get("/admin/queue/").status_code == 200


def test_who_must_have_it_can_sign_out_and_choose_the_language(browser, settings):
    settings.TWO_FACTOR_ROLES = [SUPERVISOR]
    assert browser.post("/i18n/setlang/", {"language": "ru", "next": SET_UP})["Location"] == SET_UP
    assert browser.post("/admin/logout/").status_code == 200


def test_an_administrator_resets_it(db, app, vera):
    olga = people.at_the_browser(people.account("olga", ADMINISTRATOR))
    assert "reset_two_factor_this" in pages.offered(olga, vera)
    pages.press(olga, vera, "reset_two_factor_this")
    assert not two_factor.is_on(vera)


def test_a_supervisor_resets_nobodys(db, app, vera):
    boris = people.at_the_browser(people.account("boris", SUPERVISOR))
    assert pages.press(boris, vera, "reset_two_factor_this").status_code == 403
    assert two_factor.is_on(vera)


def test_the_shell_resets_it(app, vera, capsys):
    call_command("reset_two_factor", "vera")
    assert not two_factor.is_on(vera)


def test_the_shell_knows_who_is_not_there(db):
    with pytest.raises(CommandError, match="Account vera does not exist"):
        call_command("reset_two_factor", "vera")


def test_no_page_shows_anybodys_secret(db, client, app):
    client.force_login(User.objects.create_superuser("boss"), "django.contrib.auth.backends.ModelBackend")
    assert client.get("/admin/otp_totp/totpdevice/").status_code == 404
    assert two_factor.device_secret(app) not in client.get(pages.page(app.user)).text
