"""The calendar of a week: hours when nobody is planned in red, and from a name to the shifts."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from routing import duty_edges
from tests import characters

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PIXEL = """one => {
    const context = document.createElement("canvas").getContext("2d");
    context.fillStyle = getComputedStyle(one).color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
}"""


def test_a_hole_is_red_and_a_click_leads_to_the_shifts(page: Page, client: Client, live_server: LiveServer) -> None:
    anna = characters.operator("Anna")
    characters.source("Bot", roster={anna: 10})
    start = timezone.now().replace(hour=12, minute=0) + timedelta(days=2)
    duty_edges.add_absence(operator_id=anna.pk, start=start, end=start + timedelta(hours=3))
    client.force_login(User.objects.create_superuser("vera"), "django.contrib.auth.backends.ModelBackend")
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto("/admin/")
    page.get_by_role("link", name="Bot: nobody is planned on").click()
    hole = page.locator(".holes li")
    expect(hole).to_have_count(1)
    red, green, blue = hole.evaluate(PIXEL)
    assert red > 2 * max(green, blue)
    page.get_by_role("rowheader").get_by_role("link", name="Anna").click()
    expect(page).to_have_url(re.compile(f"/operators/operator/{anna.pk}/shifts/$"))
