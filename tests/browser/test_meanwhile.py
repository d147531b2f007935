"""Two supervisors at once, and one who goes back, in a real browser: nothing is overwritten without a word."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from operators.models import Operator
from routing import operator_actions, source_actions
from routing.models import Source
from tests import characters
from tests.accounts import people

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def anna() -> Operator:
    return characters.operator("Anna", limit=3)


@pytest.fixture
def bot(anna: Operator) -> Source:
    return characters.source("Telegram", roster={anna: 10, characters.operator("Boris"): 10})


@pytest.fixture
def vera(page: Page, client: Client, live_server: LiveServer) -> Page:
    """A supervisor, signed in."""
    client.force_login(User.objects.create_superuser("vera"))
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    return page


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).click()


def set_limit(operator: Operator, limit: int) -> None:
    """What a colleague does."""
    operator_actions.change_operator(operator_id=operator.pk, changes={"max_per_hour": limit})


def weights(bot: Source) -> dict[str, int]:
    return dict(bot.roster.values_list("operator__name", "weight"))


def test_a_page_that_back_has_restored_overwrites_nothing(vera: Page, anna: Operator):
    vera.goto("/admin/")
    vera.goto(f"/admin/operators/operator/{anna.pk}/change/")
    vera.get_by_label("Contacts an hour").fill("5")
    save(vera)
    expect(vera.get_by_text("was changed successfully")).to_be_visible()
    set_limit(anna, 7)
    vera.go_back()
    expect(vera.get_by_label("Contacts an hour")).to_be_visible()
    save(vera)
    vera.wait_for_load_state()
    anna.refresh_from_db()
    assert anna.max_per_hour == 7


def test_a_list_that_back_has_restored_overwrites_nothing(vera: Page, anna: Operator):
    vera.goto("/admin/operators/operator/")
    vera.get_by_label("Anna: limit").press_sequentially("5")
    vera.goto("/admin/")
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 7})
    vera.go_back()
    expect(vera.get_by_label("Anna: limit")).to_have_value("7")


def test_a_roster_that_back_has_restored_gives_nobody_the_weight_of_another(vera: Page, anna: Operator, bot: Source):
    """Whoever was first has left: what was typed for them must not come back in the row of the next."""
    vera.goto(f"/admin/routing/source/{bot.pk}/change/")
    vera.get_by_label("Anna: weight").press_sequentially("9")
    vera.goto("/admin/")
    source_actions.remove_from_roster(source_id=bot.pk, operator_id=anna.pk)
    vera.go_back()
    expect(vera.get_by_label("Boris: weight")).to_have_value("10")
    assert weights(bot) == {"Boris": 10}


def test_the_second_reads_what_the_first_has_done_and_saves_again(vera: Page, anna: Operator):
    vera.goto(f"/admin/operators/operator/{anna.pk}/change/")
    set_limit(anna, 7)
    vera.get_by_label("Contacts an hour").fill("5")
    save(vera)
    told = "Somebody has changed this while the page was open. Now: 7. Save again to overwrite it."
    expect(vera.get_by_text(told).first).to_be_visible()
    expect(vera.get_by_label("Contacts an hour")).to_have_value("5")
    save(vera)
    expect(vera.get_by_text("was changed successfully")).to_be_visible()
    anna.refresh_from_db()
    assert anna.max_per_hour == 5


def test_what_was_typed_is_saved_after_signing_in_again_in_another_tab(vera: Page, anna: Operator):
    """As the note on the page advises. Signing in changes the token that Django compares with that of the form."""
    vera.goto(f"/admin/operators/operator/{anna.pk}/change/")
    vera.get_by_label("Contacts an hour").fill("5")
    user = User.objects.get()
    user.set_password(people.PASSWORD)  # which ends the session
    user.save()
    other = vera.context.new_page()
    other.goto("/admin/login/")
    other.locator("[name=username]").fill("vera")
    other.locator("[name=password]").fill(people.PASSWORD)
    other.locator("[name=password]").press("Enter")
    other.wait_for_url("**/admin/")
    other.close()
    save(vera)
    expect(vera.get_by_text("was changed successfully")).to_be_visible()
    anna.refresh_from_db()
    assert anna.max_per_hour == 5
