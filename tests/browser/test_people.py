"""Inviting, coming in by the link, forgotten passwords, the browser's time zone: with a real mail server."""

import re
from datetime import UTC, datetime
from email.message import Message

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.roles import ADMINISTRATOR, OPERATOR
from core.changes.models import Change
from operators.models import Operator
from routing import operator_actions
from tests.accounts import people
from tests.browser.test_door import sign_in
from tests.notifications.messenger.mail_server import MailServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NEW_PASSWORD = "another horse battery"


@pytest.fixture
def olga() -> User:
    return people.account("olga", ADMINISTRATOR, password=people.PASSWORD)


def invite(page: Page) -> str:
    """Four fields and one press; gives the link back."""
    page.goto("/admin/auth/user/")
    page.get_by_role("link", name="Invite…").click()
    page.get_by_label("Name").fill("Anna Petrova")
    page.get_by_label("E-mail").fill("anna@example.com")
    page.get_by_label("Role").select_option("Operator")
    page.get_by_label("Operator", exact=True).select_option("Make a new operator of this name")
    page.get_by_role("button", name="Invite").click()
    return page.locator("#new-link").inner_text()


def choose_password(page: Page, password: str) -> None:
    page.get_by_label(re.compile(r"^\s*New password\W*$")).fill(password)
    page.get_by_label("New password confirmation").fill(password)


@pytest.mark.parametrize("width", [390, 1440])
def test_an_invitation_has_four_fields_and_the_invited_operator_finds_the_own_desk(
    page: Page, browser: Browser, live_server: LiveServer, olga: User, width: int
):
    sign_in(page, "olga")
    page.wait_for_url("**/admin/")
    link = invite(page)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    visitor = browser.new_page(base_url=live_server.url, locale="en-US", viewport={"width": width, "height": 900})
    visitor.goto(link)
    expect(visitor.get_by_label("User name")).to_have_value("anna")
    choose_password(visitor, NEW_PASSWORD)
    visitor.wait_for_function("width => document.documentElement.scrollWidth <= width", arg=width)
    visitor.get_by_role("button", name="Sign in").click()
    expect(visitor.get_by_text("Welcome! Next time you sign in as anna.")).to_be_visible()
    assert "/admin/auth/" not in visitor.url
    visitor.close()
    anna = User.objects.get(username="anna")
    assert [group.name for group in anna.groups.all()] == [OPERATOR]
    assert Operator.objects.get(user=anna).name == "Anna Petrova"


def test_the_list_of_people_has_the_invited_and_withdraws_in_one_click(page: Page, olga: User):
    sign_in(page, "olga")
    page.wait_for_url("**/admin/")
    invite(page)
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_text("Invited, not here yet")).to_be_visible()
    page.get_by_role("button", name="Withdraw the invitation of Anna Petrova").click()
    expect(page.get_by_text("The invitation of Anna Petrova was withdrawn.")).to_be_visible()
    expect(page.get_by_text("Invited, not here yet")).to_have_count(0)


def test_a_forgotten_password_is_replaced_by_mail(page: Page, olga: User, settings: Settings):
    User.objects.filter(pk=olga.pk).update(email="olga@example.com")
    with MailServer() as server:
        server.use(settings)
        settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
        page.goto("/admin/login/")
        page.get_by_role("link", name="Forgotten your password").click()
        page.get_by_label("User name or e-mail").fill("OLGA@example.com")
        page.get_by_role("button", name="Send the link").click()
        expect(page.get_by_text("is on its way")).to_be_visible()
        mail = server.wait_for_mail()
    page.goto(link_in(mail))
    choose_password(page, NEW_PASSWORD)
    page.get_by_role("button", name="Save and sign in").click()
    expect(page.get_by_text("Your password was changed.")).to_be_visible()
    page.context.clear_cookies()
    sign_in(page, "olga", NEW_PASSWORD)
    page.wait_for_url("**/admin/")


def link_in(mail: Message) -> str:
    text = mail.get_payload(decode=True)
    assert isinstance(text, bytes)
    found = re.search(r"http\S+", text.decode())
    assert found
    return found[0]


def test_times_are_those_of_the_browser_and_the_page_says_so(browser: Browser, live_server: LiveServer, olga: User):
    context = browser.new_context(
        base_url=live_server.url,
        locale="en-US",
        timezone_id="Asia/Yekaterinburg",
        viewport={"width": 1440, "height": 900},
    )
    page = context.new_page()
    operator_actions.create_operator(name="Anna", max_load=5)
    Change.objects.update(at=datetime(2026, 11, 26, 21, 30, tzinfo=UTC))
    sign_in(page, "olga")
    page.wait_for_url("**/admin/")
    page.goto("/admin/changes/change/")
    expect(page.get_by_text("27 Nov 2026, 02:30").first).to_be_visible()
    expect(page.locator("#time-zone")).to_contain_text("Asia/Yekaterinburg")
    page.locator("#time-zone").get_by_role("link", name="change").click()
    page.get_by_label("Time zone").fill("Europe/Moscow")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#time-zone")).to_contain_text("Europe/Moscow")
    page.goto("/admin/changes/change/")
    expect(page.get_by_text("27 Nov 2026, 00:30").first).to_be_visible()
    context.close()
