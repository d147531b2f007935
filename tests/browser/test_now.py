"""The page Now at a supervisor's desk: what is seen at a glance, what takes one click, and what follows by itself."""

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from operators.models import Operator
from routing import operator_actions
from tests import characters

pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("own_profile"),
    pytest.mark.django_db(transaction=True),
]

ASK = "document.dispatchEvent(new Event('refresh'))"


@pytest.fixture
def vera(page: Page, client: Client, live_server: LiveServer) -> Page:
    """A supervisor, signed in. Her page asks only when a test lets it."""
    client.force_login(User.objects.create_superuser("vera"), "django.contrib.auth.backends.ModelBackend")
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.clock.install(time=timezone.now())
    return page


def test_who_is_overloaded_is_seen_without_a_click(vera: Page):
    characters.operator("Anna", limit=10, current_load=2)
    characters.operator("Boris", limit=2, current_load=3)
    vera.goto("/admin/")
    figure = vera.get_by_role("link", name="At or over the limit")
    expect(figure).to_contain_text("Boris: 3 of 2")
    expect(figure).to_be_in_viewport()
    expect(vera.locator(".now-operators tbody tr").first).to_contain_text("Boris")


def test_why_it_waits_is_seen_and_the_remedy_is_one_click(vera: Page):
    gleb = characters.operator("Gleb")
    bot = characters.source("Telegram", roster={gleb: 10})
    operator_actions.change_operator(operator_id=gleb.pk, changes={"is_active": False})
    contact = characters.contact(bot)
    vera.goto("/admin/")
    expect(vera.get_by_text("Nobody on the roster is on duty.")).to_be_visible()
    vera.get_by_role("button", name="Put Gleb on duty").click()
    expect(vera.locator("#toasts")).to_contain_text("Gleb is on duty.")
    expect(vera.get_by_text("Nobody on the roster is on duty.")).to_have_count(0)
    expect(vera.get_by_role("switch", name="Gleb: on duty")).to_be_checked()
    contact.refresh_from_db()
    assert contact.operator == gleb


def test_off_for_lunch_is_one_click_and_undone_by_another(vera: Page):
    anna = characters.operator("Anna")
    characters.source("Telegram", roster={anna: 10, characters.operator("Boris"): 10})
    vera.goto("/admin/")
    vera.get_by_role("button", name="Pause Anna for 30 minutes").click()
    expect(vera.get_by_role("switch", name="Anna: on duty")).not_to_be_checked()
    expect(vera.locator(".now-operators tr", has_text="Anna")).to_contain_text("paused until")
    vera.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(vera.get_by_role("switch", name="Anna: on duty")).to_be_checked()
    anna.refresh_from_db()
    assert (anna.is_active, anna.paused_until) == (True, None)


def test_a_new_contact_appears_without_reloading(vera: Page):
    bot = characters.source("Telegram", roster={characters.operator("Anna"): 10})
    vera.goto("/admin/")
    expect(vera.locator(".now-operators tr", has_text="Anna")).to_contain_text("0 of 10")
    vera.evaluate("window.isSamePage = true")
    contact = characters.contact(bot)
    vera.clock.run_for(30_000)
    expect(vera.locator(".now-operators tr", has_text="Anna")).to_contain_text("1 of 10")
    expect(vera.locator(".now-events")).to_contain_text(f"Contact {contact.pk}")
    assert vera.evaluate("window.isSamePage")


def test_what_has_not_changed_is_answered_with_304(vera: Page):
    characters.operator("Anna")
    vera.goto("/admin/")
    statuses = []
    for _ in range(4):
        with vera.expect_response("**/admin/now/") as answer:
            vera.clock.run_for(30_000)
        statuses.append(answer.value.status)
    assert 304 in statuses  # one of them may have met the next minute, which is another version
    expect(vera.locator(".now-operators")).to_contain_text("Anna")


def test_a_hidden_tab_asks_nothing_and_asks_when_it_is_seen_again(vera: Page):
    characters.operator("Anna")
    vera.goto("/admin/")
    asked = []
    vera.on("request", lambda it: asked.append(it.url) if it.url.endswith("/admin/now/") else None)
    vera.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    vera.clock.run_for(8 * 3600 * 1000)
    assert asked == []
    with vera.expect_response("**/admin/now/"):
        vera.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")


def test_the_focus_and_what_is_open_stay_when_the_page_follows(vera: Page):
    bot = characters.source("Telegram", roster={characters.operator("Anna"): 10})
    vera.goto("/admin/")
    vera.get_by_text("Today as a table").click()
    vera.get_by_role("switch", name="Anna: on duty").focus()
    characters.contact(bot)
    vera.evaluate(ASK)
    expect(vera.locator(".now-operators tr", has_text="Anna")).to_contain_text("1 of 10")
    expect(vera.get_by_role("switch", name="Anna: on duty")).to_be_focused()
    expect(vera.get_by_role("columnheader", name="Mean wait, minutes")).to_be_visible()


def test_a_service_that_is_away_is_told_and_the_page_recovers_by_itself(
    browser: Browser, vera: Page, live_server: LiveServer
):
    """In a tab of its own, because the browser itself writes of each request that fails."""
    characters.operator("Anna")
    context = browser.new_context(base_url=live_server.url, locale="en-US")
    session = next(one["value"] for one in vera.context.cookies() if one["name"] == "sessionid")
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.clock.install(time=timezone.now())
    page.goto("/admin/")
    stale = page.get_by_text("The service does not answer.")
    for breaks in (lambda route: route.abort(), lambda route: route.fulfill(status=503, body="away")):
        page.route("**/admin/now/", breaks)
        page.clock.run_for(30_000)
        expect(stale).to_be_visible()
        page.unroute("**/admin/now/")
        Operator.objects.create(name=f"Newcomer {len(failures)}", max_load=3)
        page.clock.run_for(30_000)
        expect(stale).to_be_hidden()
    expect(page.locator(".now-operators")).to_contain_text("Newcomer")
    context.close()
    assert failures == []


def test_who_is_signed_out_is_told_and_goes_on_after_signing_in_again(
    vera: Page, client: Client, live_server: LiveServer
):
    anna = characters.operator("Anna")
    vera.goto("/admin/")
    Session.objects.all().delete()
    vera.evaluate(ASK)
    note = vera.get_by_text("You are signed out")
    expect(note).to_be_visible()
    expect(vera.locator(".now-operators")).to_contain_text("Anna")
    client.force_login(User.objects.get(), "django.contrib.auth.backends.ModelBackend")
    session = client.cookies["sessionid"].value
    vera.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    vera.evaluate(ASK)
    expect(note).to_be_hidden()
    vera.get_by_role("switch", name="Anna: on duty").click()
    expect(vera.locator("#toasts")).to_contain_text("Anna is off duty.")
    anna.refresh_from_db()
    assert not anna.is_active


def test_hostile_names_do_nothing_and_the_charts_are_drawn(vera: Page):
    """The fixture fails if a page complains: an image that is not found, a script that is blocked."""
    anna = characters.operator("</script><script>window.isHacked = 1</script>", limit=1)
    bot = characters.source("\"'><img src=x onerror='window.isHacked = 1'>", roster={anna: 10})
    for _ in range(2):
        characters.contact(bot)
    vera.goto("/admin/")
    vera.evaluate(ASK)
    expect(vera.locator(".now-sources")).to_contain_text("<img src=x")
    drawn = (
        "[...document.querySelectorAll('[data-chart]')].map(one => Chart.getChart(one).data.datasets[0].data.length)"
    )
    hours = timezone.now().hour + 1
    assert vera.evaluate(drawn) == [hours, hours]
    assert vera.evaluate("window.isHacked") is None


def test_charts_follow_without_being_drawn_afresh(vera: Page):
    bot = characters.source("Telegram", roster={characters.operator("Anna"): 10})
    vera.goto("/admin/")
    vera.evaluate("window.first = Chart.getChart(document.querySelector('[data-chart=flow]'))")
    characters.contact(bot)
    vera.evaluate(ASK)
    expect(vera.locator(".now-operators tr", has_text="Anna")).to_contain_text("1 of 10")
    assert vera.evaluate("Chart.getChart(document.querySelector('[data-chart=flow]')) === window.first")
    assert vera.evaluate("document.querySelectorAll('[data-chart]').length") == 2
