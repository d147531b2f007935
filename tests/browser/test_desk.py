"""An operator's day on the page of their own contacts, in a real browser: on a phone, by keyboard, and left alone."""

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Profile
from accounts.roles import OPERATOR
from operators.models import Operator
from routing import lifecycle
from routing.models import Contact, ContactNote, Source
from tests import characters
from tests.accounts import people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
DESK = "/admin/my-contacts/"
# Real notifications and tones, which also leave a trace.
TRACES = """
    window.told = [];
    window.Notification = class extends Notification {
        static permission = "granted";  // which Chromium without a screen gives nobody
        static async requestPermission() { return this.permission; }
        constructor(title, options) { super(title, options); told.push([title, options.body]); }
    };
    const start = OscillatorNode.prototype.start;
    window.tones = 0;
    OscillatorNode.prototype.start = function (...when) { window.tones += 1; return start.apply(this, when); };
"""


@pytest.fixture
def anna(db: None) -> Operator:
    return characters.operator("Anna", user=people.account("anna", OPERATOR))


@pytest.fixture
def boris(db: None) -> Operator:
    return characters.operator("Boris", is_active=False)


@pytest.fixture
def bot(anna: Operator, boris: Operator) -> Source:
    return characters.source("Telegram", roster={anna: 10, boris: 10})


@pytest.fixture
def desk(page: Page, client: Client, live_server: LiveServer, anna: Operator, bot: Source):
    """Opens the start page of Anna, on a phone unless said otherwise."""

    def open_desk(width: int = 390) -> Page:
        page.set_viewport_size({"width": width, "height": 844})
        assert anna.user
        client.force_login(anna.user, "django.contrib.auth.backends.ModelBackend")
        session = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page.goto("/admin/")
        page.wait_for_url(f"**{DESK}")
        return page

    return open_desk


def fits(page: Page) -> None:
    page.wait_for_function("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("width", [390, 1440])
def test_taken_by_one_click_resolved_by_another_and_reopened_by_undo(desk, bot: Source, width: int):
    contact = characters.contact(bot, lead_name="Ivan", message="Price?")
    page = desk(width)
    fits(page)
    page.get_by_role("button", name="Take").click()
    expect(page.get_by_text("Taken: Ivan.")).to_be_visible()
    expect(page.get_by_role("button", name="Take")).to_have_count(0)
    page.get_by_role("button", name="Resolve").click()
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    assert Contact.objects.get().is_resolved
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Price?")).to_be_visible()
    assert not Contact.objects.get(pk=contact.pk).is_resolved
    fits(page)


@pytest.mark.usefixtures("own_profile")
def test_ages_are_counted_on_without_asking(desk, bot: Source):
    characters.contact(bot, lead_name="Ivan")
    page = desk()
    expect(page.get_by_text("less than 1 min ago")).to_be_visible()
    page.clock.install()
    page.reload()
    page.route("**/my-contacts/live/**", lambda route: route.fulfill(status=304))
    page.clock.fast_forward("05:30")
    expect(page.get_by_text("5 min ago")).to_be_visible()
    page.clock.fast_forward("02:00:00")
    expect(page.get_by_text("2 h ago")).to_be_visible()


def test_given_back_with_a_reason_by_two_clicks(desk, bot: Source):
    contact = characters.contact(bot, lead_name="Ж" * 60, message="щ" * 120)
    page = desk()
    page.get_by_role("button", name="Give back…").click()
    reason = page.get_by_label("Why?")
    expect(reason).to_be_focused()
    fits(page)
    reason.fill("On lunch")
    page.get_by_role("button", name="Give back", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    fits(page)
    assert list(contact.history.values_list("note", flat=True)) == [None, "On lunch"]


def test_who_comes_too_late_is_told_who_has_it(desk, bot: Source, boris: Operator):
    contact = characters.contact(bot)
    page = desk()
    page.get_by_role("button", name="Give back…").click()
    lifecycle.force_contact(contact_id=contact.pk, operator_id=boris.pk)
    page.get_by_label("Why?").fill("On lunch")
    page.get_by_role("button", name="Give back", exact=True).click()
    expect(page.get_by_role("dialog").get_by_text("Boris has this contact now.")).to_be_visible()
    expect(page.get_by_label("Why?")).to_have_value("On lunch")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert Contact.objects.get().operator == boris


def test_a_note_is_written_and_what_is_unfolded_stays_so(desk, bot: Source):
    characters.contact(bot, message="Beginning " + "word " * 200 + "the end.")
    page = desk()
    page.get_by_text("Show all").click()
    expect(page.get_by_text("the end.")).to_be_visible()
    page.get_by_role("button", name="Add a note…").click()
    page.get_by_role("textbox", name="Note").fill("Calls back")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".desk-notes").get_by_text("Calls back")).to_be_visible()
    expect(page.get_by_text("the end.")).to_be_visible()
    assert ContactNote.objects.get().by == "user anna"


@pytest.mark.usefixtures("own_profile")
def test_a_new_contact_appears_by_itself_and_is_counted_in_the_title(page: Page, desk, bot: Source):
    page.clock.install()
    desk()
    expect(page).to_have_title("My contacts | CRM Lead Router")
    characters.contact(bot, lead_name="Ivan")
    page.clock.run_for(30_000)
    expect(page.get_by_role("heading", name="Ivan")).to_be_visible()
    expect(page).to_have_title("(1) My contacts | CRM Lead Router")
    page.get_by_role("button", name="Take").click()
    expect(page).to_have_title("My contacts | CRM Lead Router")


def test_notifications_and_sound_tell_of_a_new_contact_after_they_are_switched_on(page: Page, desk, bot: Source):
    page.context.grant_permissions(["notifications"])
    page.add_init_script(TRACES)
    characters.contact(bot, lead_name="Old")
    desk()
    page.get_by_label("Notifications").check()
    page.wait_for_function("told.length === 1")  # that they are on
    page.get_by_label("Sound").check()
    page.wait_for_function("tones === 2")
    characters.contact(bot, lead_name="<b>Ivan</b>", lead_phone="+79991234567", message="Price?")
    page.evaluate("document.dispatchEvent(new Event('refresh'))")
    page.wait_for_function("told.length === 2 && tones === 4")
    assert page.evaluate("told[1]") == ["New contact", "<b>Ivan</b>"]
    profile = Profile.objects.get()
    assert (profile.shows_notifications, profile.plays_sound) == (True, True)
    page.reload()
    expect(page.get_by_label("Notifications")).to_be_checked()
    with page.expect_response("**/my-alerts/"):
        page.get_by_label("Notifications").uncheck()
    assert not Profile.objects.get().shows_notifications


def test_a_browser_that_does_not_allow_notifications_says_so(page: Page, desk):
    page.add_init_script("Notification.requestPermission = async () => 'denied';")
    desk()
    page.get_by_label("Notifications").click()
    expect(page.get_by_text("The browser does not allow notifications of this site.")).to_be_visible()
    expect(page.get_by_label("Notifications")).not_to_be_checked()
    assert not Profile.objects.exists()


def test_everything_is_done_by_keyboard_alone(desk, bot: Source):
    first, second = (characters.contact(bot, lead_name=name) for name in ("Ivan", "Olga"))
    page = desk(1440)
    page.locator(f"#take-{first.pk}").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#card-{first.pk}")).to_be_focused()
    page.locator(f"#resolve-{second.pk}").focus()
    page.keyboard.press("Space")
    expect(page.locator(f"#card-{first.pk}")).to_be_focused()
    page.locator(f"#give-back-{first.pk}").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Why?")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(f"#give-back-{first.pk}")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Why?")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    assert [contact.status for contact in Contact.objects.order_by("pk")] == ["waiting", "resolved"]


def test_off_duty_and_a_pause_by_one_click_each_with_undo(desk, anna: Operator):
    page = desk()
    page.get_by_role("button", name="Pause 30 min").click()
    expect(page.get_by_text("New contacts come after that.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    page.get_by_role("button", name="Go off duty").click()
    expect(page.get_by_text("New contacts come when you are on duty.")).to_be_visible()
    assert not Operator.objects.get(pk=anna.pk).is_active
    page.get_by_role("button", name="Go on duty").click()
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    page.get_by_role("button", name="Pause until…").click()
    expect(page.locator("#id_until")).to_be_focused()
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_role("button", name="End the pause")).to_be_visible()


def test_a_tab_whose_session_has_ended_says_so_and_keeps_what_is_typed(desk, bot: Source):
    contact = characters.contact(bot)
    page = desk()
    page.get_by_role("button", name="Add a note…").click()
    page.get_by_role("textbox", name="Note").fill("Calls back")
    Session.objects.all().delete()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog").get_by_text("You are signed out")).to_be_visible()
    expect(page.get_by_role("textbox", name="Note")).to_have_value("Calls back")
    assert not contact.notes.exists()
