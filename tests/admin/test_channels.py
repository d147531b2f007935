"""The pages of channels, of what was sent, and of alarms."""

from datetime import time

import pytest
from django.utils import timezone

from accounts.roles import OPERATOR, SUPERVISOR
from notifications.messenger.models import Alarm, Channel, LinkToken, Notice
from tests import characters
from tests.accounts import people
from tests.admin import pages
from tests.notifications.messenger.conftest import telegram  # noqa: F401 # a fixture

FORM = {
    "operator": "",
    "kind": "email",
    "address": "anna@example.com",
    "quiet_from": "",
    "quiet_to": "",
    "language": "",
}


@pytest.fixture
def vera(db):
    return people.account("vera", SUPERVISOR)


@pytest.fixture
def browser(vera):
    return people.at_the_browser(vera)


@pytest.fixture
def anna(db):
    return characters.operator("Anna")


def add(browser, **fields):
    return browser.post(pages.adding(Channel), FORM | fields)


def test_a_channel_of_an_operator_is_added(browser, anna):
    add(browser, operator=anna.pk, types=["contact.resolved"], quiet_from="22:00", quiet_to="08:00")
    channel = Channel.objects.get()
    assert (channel.operator, channel.address, channel.types) == (anna, "anna@example.com", ["contact.resolved"])
    assert (channel.quiet_from, channel.quiet_to) == (time(22), time(8))


def test_without_an_operator_it_is_ones_own(browser, vera):
    add(browser)
    assert Channel.objects.get().user == vera


def test_the_channels_of_other_supervisors_are_not_listed(browser):
    Channel.objects.create(user=people.account("boris", SUPERVISOR), kind="email", address="boris@example.com")
    assert pages.shown(browser, pages.listing(Channel)) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"address": "anna"}, "address"), ({"quiet_from": "22:00"}, "quiet_to"), ({"kind": "pigeon"}, "kind")],
)
def test_a_mistake_is_shown_at_its_field(browser, fields, field):
    assert field in add(browser, **fields).context["adminform"].form.errors
    assert not Channel.objects.exists()


def test_the_secret_of_a_webhook_is_shown_once(browser, anna):
    answer = add(browser, operator=anna.pk, kind="webhook", address="https://example.com/hook")
    secret = Channel.objects.get().secret
    assert secret in answer.text
    assert secret not in browser.get(pages.page(Channel.objects.get())).text


def test_a_change_is_saved(browser, anna):
    add(browser, operator=anna.pk)
    channel = Channel.objects.get()
    sent = pages.filled(browser.get(pages.page(channel)))
    browser.post(pages.page(channel), sent | {"address": "new@example.com"})
    assert Channel.objects.get().address == "new@example.com"


def test_a_chat_of_somebody_else_is_refused(browser, anna):
    Channel.objects.create(operator=anna, kind="telegram", address="1001")
    answer = add(browser, operator=characters.operator("Boris").pk, kind="telegram", address="1001")
    assert pages.said(answer)
    assert Channel.objects.count() == 1


def test_a_removed_channel_is_no_longer_listed(browser, anna):
    add(browser, operator=anna.pk)
    pages.press(browser, Channel.objects.get(), "remove_this")
    assert pages.shown(browser, pages.listing(Channel)) == []
    assert Channel.objects.get().removed_at


def test_the_link_to_telegram_is_shown_on_the_page(browser, anna, telegram):  # noqa: F811
    channel = Channel.objects.create(operator=anna, kind="telegram")
    assert "https://t.me/crm_router_demo_bot?start=" in browser.post(pages.button(channel, "link_this")).text


def test_opening_the_page_makes_no_link(browser, anna, telegram):  # noqa: F811
    channel = Channel.objects.create(operator=anna, kind="telegram")
    assert "https://t.me/" not in browser.get(pages.button(channel, "link_this")).text
    assert not LinkToken.objects.exists()


def test_without_a_bot_the_page_says_so(browser, anna):
    channel = Channel.objects.create(operator=anna, kind="telegram")
    assert "TELEGRAM_BOT_TOKEN" in pages.said(browser.post(pages.button(channel, "link_this")))[0]


def test_only_telegram_is_linked(browser, anna):
    mail = Channel.objects.create(operator=anna, kind="email", address="a@example.com")
    assert pages.offered(browser, mail) == ["remove_this"]


def test_what_failed_is_listed_with_the_reason(browser, anna):
    channel = Channel.objects.create(operator=anna, kind="email", address="a@example.com")
    Notice.objects.create(channel=channel, type="contact.assigned", state="failed", error="550 no such user")
    assert "550 no such user" in browser.get(pages.listing(Notice)).text


def test_alarms_are_listed_in_sentences(browser):
    now = timezone.now()
    Alarm.objects.create(kind="waiting", subject="1", details={"name": "Bot", "number": 10}, since=now, seen_at=now)
    assert "Source Bot: a contact has been waiting" in browser.get(pages.listing(Alarm)).text


def test_operators_see_none_of_these_pages(db):
    browser = people.at_the_browser(people.account("anna", OPERATOR))
    assert {browser.get(pages.listing(model)).status_code for model in (Channel, Notice, Alarm)} == {403}


def test_the_page_of_an_operator_leads_to_the_channels(browser, anna):
    Channel.objects.create(operator=anna, kind="email", address="anna@example.com")
    page = browser.get(pages.page(anna)).text
    for listing in (pages.listing(Channel), pages.listing(Notice)):
        [url] = [part.split('"')[0] for part in page.split('href="') if part.startswith(f"{listing}?")]
        assert browser.get(url.replace("&amp;", "&")).status_code == 200
    assert len(pages.shown(browser, f"{pages.listing(Channel)}?operator__id__exact={anna.pk}")) == 1
