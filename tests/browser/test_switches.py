"""What applies at once, in a real browser: clicks are counted where they matter."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from operators.models import Operator
from routing import operator_actions
from tests import characters
from tests.browser.conftest import kinds_of_questions

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LIST = "/admin/operators/operator/"


@pytest.fixture
def anna() -> Operator:
    """One of two on duty."""
    anna = characters.operator("Anna", limit=3)
    characters.source("Telegram", roster={anna: 10, characters.operator("Boris"): 30})
    return anna


@pytest.fixture
def vera(page: Page, client: Client, live_server: LiveServer) -> Page:
    """A supervisor, signed in."""
    client.force_login(User.objects.create_superuser("vera"))
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    return page


def duty(page: Page, name: str = "Anna") -> Locator:
    return page.get_by_role("switch", name=f"{name}: on duty")


@pytest.mark.parametrize("width", [390, 1440])
def test_off_for_lunch_is_one_click_and_undo_one_more(vera: Page, anna: Operator, width: int):
    vera.set_viewport_size({"width": width, "height": 900})
    vera.goto(LIST)
    expect(duty(vera)).to_be_checked()
    duty(vera).click()
    expect(vera.get_by_text("Anna is off duty.")).to_be_visible()
    expect(duty(vera)).not_to_be_checked()
    anna.refresh_from_db()
    assert not anna.is_active
    vera.get_by_role("button", name="Undo").click()
    expect(vera.get_by_text("Reverted. Anna: on duty")).to_be_visible()
    expect(duty(vera)).to_be_checked()
    anna.refresh_from_db()
    assert anna.is_active


def test_the_switch_is_turned_by_the_keyboard_and_keeps_the_focus(vera: Page, anna: Operator):
    vera.goto(LIST)
    duty(vera).focus()
    vera.keyboard.press("Space")
    expect(duty(vera)).not_to_be_checked()
    expect(duty(vera)).to_be_focused()


def test_a_limit_applies_with_enter_again_and_again(vera: Page, anna: Operator):
    vera.goto(LIST)
    limit = vera.get_by_label("Anna: limit")
    for value in ("7", "8"):
        limit.fill(value)
        limit.press("Enter")
        expect(vera.get_by_text(f"Anna: the limit is {value}.")).to_be_visible()
    expect(vera.locator(f"#load-{anna.pk}")).to_contain_text("0 of 8")
    anna.refresh_from_db()
    assert anna.max_load == 8


def test_what_a_colleague_changes_is_shown_without_reloading(vera: Page, anna: Operator):
    vera.goto(LIST)
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False, "max_load": 9})
    vera.evaluate("document.dispatchEvent(new Event('refresh'))")
    expect(duty(vera)).not_to_be_checked()
    expect(vera.get_by_label("Anna: limit")).to_have_value("9")


def test_who_is_typing_is_not_disturbed(vera: Page, anna: Operator):
    vera.goto(LIST)
    limit = vera.get_by_label("Anna: limit")
    limit.press_sequentially("1")
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False, "max_load": 9})
    vera.evaluate("document.dispatchEvent(new Event('refresh'))")
    expect(duty(vera)).not_to_be_checked()
    expect(limit).to_have_value("13")
    expect(limit).to_be_focused()


def test_the_last_on_duty_is_told_before_and_cancel_changes_nothing(vera: Page, anna: Operator):
    Operator.objects.filter(name="Boris").update(is_active=False)
    vera.goto(LIST)
    duty(vera).click()
    question = vera.get_by_role("dialog")
    expect(question).to_contain_text("Telegram has nobody on duty then.")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    vera.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(duty(vera)).to_be_focused()
    expect(duty(vera)).to_be_checked()
    anna.refresh_from_db()
    assert anna.is_active
    duty(vera).click()
    question.get_by_role("button", name="Take off duty").click()
    expect(vera.get_by_text("Anna is off duty.")).to_be_visible()
    expect(duty(vera)).not_to_be_checked()
    expect(question).to_be_hidden()


def test_a_limit_that_is_not_lowered_after_all_shows_what_is_stored(vera: Page, anna: Operator):
    Operator.objects.filter(pk=anna.pk).update(current_load=3)
    vera.goto(f"{LIST}{anna.pk}/change/")
    limit = vera.get_by_label("Anna: limit")
    limit.fill("1")
    limit.press("Enter")
    question = vera.get_by_role("dialog")
    expect(question).to_contain_text("Anna keeps the 3 open contacts, above the limit.")
    question.get_by_role("button", name="Cancel").click()
    expect(limit).to_have_value("3")
    Operator.objects.filter(pk=anna.pk).update(current_load=0)


def test_unsaved_edits_ask_and_instant_ones_do_not(vera: Page, anna: Operator):
    vera.goto(f"{LIST}{anna.pk}/change/")
    limit = vera.get_by_label("Anna: limit")
    limit.fill("7")
    limit.press("Enter")
    expect(vera.get_by_text("Anna: the limit is 7.")).to_be_visible()
    asked = kinds_of_questions(vera)
    vera.goto(f"{LIST}{anna.pk}/change/")
    assert asked == []
    vera.get_by_label("Name").press_sequentially(" B.")
    vera.goto(LIST)
    assert asked == ["beforeunload"]
