"""A week's leave in a real browser: forecast, leave, and undo; also on a phone."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from operators.models import Absence, Operator
from routing import source_actions
from routing.models import Contact
from tests import characters

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def anna() -> Operator:
    """With two contacts; Boris has a place for one of them."""
    anna, boris = characters.operator("Anna", limit=5), characters.operator("Boris", limit=1)
    bot = characters.source("Telegram", roster={anna: 10})
    for name in ("Ivan", "Olga"):
        characters.contact(bot, lead_name=name)
    source_actions.set_weight(source_id=bot.pk, operator_id=boris.pk, weight=30)
    return anna


@pytest.fixture
def supervisor(anna: Operator, page: Page, client: Client, live_server: LiveServer) -> Page:
    client.force_login(User.objects.create_superuser("vera"))
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(f"/admin/operators/operator/{anna.pk}/shifts/")
    return page


@pytest.mark.parametrize("width", [390, 1440])
def test_a_weeks_leave_takes_three_presses_and_one_takes_it_back(supervisor: Page, anna: Operator, width: int):
    supervisor.set_viewport_size({"width": width, "height": 900})
    supervisor.get_by_role("link", name="See first where the contacts would go").click()
    supervisor.get_by_label("First day").fill("2026-01-05")  # of a leave that has begun, so that it acts now
    supervisor.get_by_label("Last day").fill("2030-01-05")
    supervisor.get_by_role("button", name="Show what would happen").click()
    expect(supervisor.get_by_text("1 would go to colleagues, 1 to the queue.")).to_be_visible()
    assert supervisor.evaluate("document.documentElement.scrollWidth") <= width
    supervisor.get_by_role("button", name="Apply the leave").click()
    expect(supervisor.get_by_text("Handed over: 1, in the queue: 1.")).to_be_visible()
    assert Contact.objects.filter(operator=anna).count() == 0
    supervisor.get_by_role("button", name="Undo").first.click()
    expect(supervisor.get_by_text("2 contacts were given back.")).to_be_visible()
    assert Contact.objects.filter(operator=anna).count() == 2
    assert Absence.objects.get().ended_at
