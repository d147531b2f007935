"""A forgotten password: a link by mail to oneself, or one from an administrator. It works once, for a day."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounts import letters
from accounts.roles import ADMINISTRATOR, SUPERVISOR
from tests.accounts import people

pytestmark = pytest.mark.django_db

FORGOTTEN = "/admin/password/forgotten/"
NEW = "another horse battery"


@pytest.fixture
def anna():
    return people.account("anna", SUPERVISOR, email="anna@example.com", password=people.PASSWORD)


@pytest.fixture
def outbox(monkeypatch, settings):
    """What would be sent: the real server is in the test of the browser."""
    sent: list[object] = []
    settings.IS_EMAIL_CONFIGURED = True
    settings.ALLOWED_HOSTS = ["testserver"]
    monkeypatch.setattr(letters, "send_later", sent.extend)
    return sent


def ask(claimed, **more):
    return Client(**more).post(FORGOTTEN, {"claimed": claimed})


def link_in(letter):
    return next(line for line in letter.body.splitlines() if line.startswith("http"))


def choose(url, password=NEW, browser=None):
    return (browser or Client()).post(url, {"new_password1": password, "new_password2": password})


def link_of_administrator(user):
    browser = people.at_the_browser(people.account("olga", ADMINISTRATOR))
    return browser.post(f"/admin/auth/user/{user.pk}/password/").context["url"]


def is_refused(url):
    return [Client().get(url).status_code, choose(url).status_code] == [404, 404]


@pytest.mark.parametrize("claimed", ["anna", "ANNA", "anna@example.com", "Anna@Example.com"])
def test_a_link_comes_by_mail_and_sets_the_password(anna, outbox, claimed):
    ask(claimed)
    [letter] = outbox
    assert letter.to == ["anna@example.com"]
    visitor = Client()
    assert choose(link_in(letter), browser=visitor)["Location"] == "/admin/"
    assert visitor.get("/admin/").status_code == 200
    anna.refresh_from_db()
    assert anna.check_password(NEW)


def test_the_answer_is_the_same_whether_there_is_an_account(anna, outbox):
    people.account("no-mail", password=people.PASSWORD)
    User.objects.create_user("off", email="off@example.com", password=people.PASSWORD, is_active=False)
    pages = [ask(claimed).text for claimed in ("anna", "nobody", "no-mail", "off")]
    without_tokens = {re.sub("<[^>]*>", "", page) for page in pages}
    assert len(without_tokens) == 1
    assert "on its way" in without_tokens.pop()
    assert [letter.to for letter in outbox] == [["anna@example.com"]]


def test_everybody_with_the_same_address_gets_a_link_with_the_own_user_name(anna, outbox):
    people.account("anna2", email="anna@example.com", password=people.PASSWORD)
    ask("anna@example.com")
    assert {name for letter in outbox for name in ("anna", "anna2") if f"name {name}:" in letter.body} == {
        "anna",
        "anna2",
    }


def test_asking_again_and_again_is_throttled(anna, outbox):
    browser = Client()
    answers = [browser.post(FORGOTTEN, {"claimed": "anna"}).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]
    assert len(outbox) == 5


def test_without_mail_the_page_says_whom_to_ask(anna, settings):
    settings.IS_EMAIL_CONFIGURED = False
    page = Client().get(FORGOTTEN).text
    assert "Ask an administrator" in page
    assert 'name="claimed"' not in page


def test_with_any_host_name_allowed_nobody_sends_links_that_lead_elsewhere(anna, outbox, settings):
    settings.ALLOWED_HOSTS = ["*"]
    ask("anna", headers={"host": "evil.example"})
    assert outbox == []


def test_the_link_of_an_administrator_works_once(anna):
    url = link_of_administrator(anna)
    assert choose(url).status_code == 302
    assert is_refused(url)


def test_a_link_works_for_a_day(anna):
    url = link_of_administrator(anna)
    with time_machine.travel(timezone.now() + timedelta(hours=23), tick=False):
        assert Client().get(url).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        assert is_refused(url)


def test_a_link_is_worthless_after_the_next_sign_in(anna):
    url = link_of_administrator(anna)
    people.sign_in(Client(), username="anna")
    assert is_refused(url)


def test_a_link_of_somebody_who_was_switched_off_is_worthless(anna):
    url = link_of_administrator(anna)
    User.objects.filter(pk=anna.pk).update(is_active=False)
    assert is_refused(url)


def test_the_sessions_elsewhere_end(anna):
    elsewhere = Client()
    people.sign_in(elsewhere, username="anna")
    choose(link_of_administrator(anna))
    assert elsewhere.get("/admin/").status_code == 302


def test_the_second_factor_is_asked_for_all_the_same(anna):
    people.app_of(anna)
    visitor = Client()
    choose(link_of_administrator(anna), browser=visitor)
    assert visitor.get("/admin/")["Location"] == "/admin/two-factor/code/"


def test_a_weak_password_is_refused(anna):
    url = link_of_administrator(anna)
    assert choose(url, "password1234").context["form"].errors
    assert Client().get(url).status_code == 200


@pytest.mark.parametrize("path", ["MQ/guess", "!!/x", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5/x", "0J8/x"])
def test_a_guessed_link_is_refused(anna, path):
    assert is_refused(f"/admin/password/{path}/")


def test_nobody_makes_a_link_for_themselves_to_be_a_superuser(anna):
    boss = User.objects.create_superuser("boss")
    browser = people.at_the_browser(people.account("olga", ADMINISTRATOR))
    url = f"/admin/auth/user/{boss.pk}/password/"
    assert (browser.get(url).status_code, browser.post(url).status_code) == (403, 403)


def test_the_sign_in_page_leads_there(anna):
    assert FORGOTTEN in Client().get("/admin/login/").text
