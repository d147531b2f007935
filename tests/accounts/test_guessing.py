"""Guessing passwords: a few attempts for this account from this address, more for all accounts, then a wait."""

from datetime import timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from tests.accounts import people

ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture
def vera(db):
    return User.objects.create_superuser("vera", password=people.PASSWORD)


def guess(client, times=5, **more):
    return [people.sign_in(client, "wrong", **more) for _ in range(times)][-1]


def test_the_right_password_opens(client, vera):
    assert people.sign_in(client)["Location"] == "/admin/"


def test_the_fifth_wrong_password_locks(client, vera):
    assert guess(client, 4).status_code == 200
    locked = guess(client, 1)
    assert (locked.status_code, locked["Retry-After"]) == (429, "900")


def test_then_the_right_password_does_not_help(client, vera):
    guess(client)
    assert people.sign_in(client).status_code == 429
    assert client.get("/admin/").status_code == 302


def test_the_page_says_how_long_in_either_language(client, vera):
    assert "for up to 15 minutes" in guess(client).text
    client.cookies["django_language"] = "ru"
    assert "на 15 минут" in guess(client, 1).text


def test_the_wait_ends(client, vera):
    guess(client)
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        assert people.sign_in(client).status_code == 302


def test_waiting_is_not_prolonged_by_trying(client, vera):
    guess(client)
    with time_machine.travel(timezone.now() + timedelta(minutes=14), tick=False):
        guess(client, 1)
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        assert people.sign_in(client).status_code == 302


def test_nobody_locks_a_colleague_out_from_elsewhere(client, vera):
    guess(client, **ELSEWHERE)
    assert people.sign_in(client).status_code == 302


def guess_everywhere(client, times=50, **more):
    """One wrong password for each of so many accounts."""
    return [people.sign_in(client, "wrong", f"account {n}", **more).status_code for n in range(times)]


def test_fifty_wrong_passwords_lock_the_address_whatever_the_accounts(client, vera):
    assert guess_everywhere(client) == [200] * 50
    locked = people.sign_in(client)
    assert (locked.status_code, locked["Retry-After"]) == (429, "900")


def test_then_no_password_is_looked_at(client, vera, monkeypatch):
    guess_everywhere(client)
    monkeypatch.setattr(ModelBackend, "authenticate", lambda *_, **__: pytest.fail("hashed"))
    assert people.sign_in(client).status_code == 429
    assert AccessAttempt.objects.count() == 50


def test_who_comes_from_elsewhere_notices_nothing(client, vera):
    guess_everywhere(client, **ELSEWHERE)
    assert people.sign_in(client).status_code == 302


def test_the_wait_of_an_address_ends_too(client, vera):
    guess_everywhere(client)
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        assert people.sign_in(client).status_code == 302


def test_addresses_of_one_subscriber_are_one(client, vera):
    for host in (1, 2):
        guess_everywhere(client, 25, REMOTE_ADDR=f"2001:db8::{host}")
    assert people.sign_in(client, REMOTE_ADDR="2001:db8::3").status_code == 429
    assert people.sign_in(client, REMOTE_ADDR="2001:db8:0:1::3").status_code == 302


def test_those_without_an_address_do_not_lock_each_other_out(client, vera):
    guess_everywhere(client, REMOTE_ADDR="")
    assert people.sign_in(client, REMOTE_ADDR="").status_code == 302


def test_another_browser_is_no_way_round(client, vera):
    for number in range(5):
        people.sign_in(client, "wrong", headers={"User-Agent": f"Browser {number}"})
    assert people.sign_in(client).status_code == 429


def test_a_claimed_address_is_no_way_round(client, vera):
    for number in range(5):
        people.sign_in(client, "wrong", headers={"X-Forwarded-For": f"198.51.100.{number}"})
    assert people.sign_in(client).status_code == 429


def test_behind_a_proxy_clients_are_told_apart(client, vera, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1/32"]
    guess(client, headers={"X-Forwarded-For": "203.0.113.9"})
    assert people.sign_in(client, headers={"X-Forwarded-For": "203.0.113.10"}).status_code == 302
    assert people.sign_in(client, headers={"X-Forwarded-For": "1.1.1.1, 203.0.113.9"}).status_code == 429


def test_success_forgives(client, vera):
    guess(client, 4)
    people.sign_in(client)
    assert guess(client, 4).status_code == 200


def test_the_shell_unlocks(client, vera, capsys):
    guess(client)
    call_command("axes_reset_username", "vera")
    assert people.sign_in(client).status_code == 302


def test_what_is_written_down_stays_small_and_holds_no_password(client, vera):
    guess(client, 30)
    attempt = AccessAttempt.objects.get()
    assert attempt.failures_since_start == 5
    assert "wrong" not in attempt.post_data


@pytest.mark.parametrize("username", ["x" * 300, "", "ve\0ra", "вера"])
def test_strange_names_are_just_wrong(client, vera, username):
    assert people.sign_in(client, username=username).status_code == 200


def test_bots_never_meet_the_lock(api, vera, client):
    guess(client)
    assert api.get("/api/v1/operators").status_code == 200


@pytest.mark.parametrize("password", ["short", "password1234", "123456789012"])
def test_passwords_that_are_easily_guessed_are_refused(client, vera, password):
    client.force_login(vera, "django.contrib.auth.backends.ModelBackend")
    words = {"old_password": people.PASSWORD, "new_password1": password, "new_password2": password}
    assert "new_password2" in client.post("/admin/password_change/", words).context["form"].errors
