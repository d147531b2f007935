"""The page of a source in a real browser: its roster, and how it is connected."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from operators.models import Operator
from routing import source_actions
from routing.models import Contact, Source
from tests import characters
from tests.browser.conftest import kinds_of_questions

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def bot() -> Source:
    roster = {characters.operator("Anna"): 10, characters.operator("Boris"): 30}
    return characters.source("Telegram", roster=roster | {characters.operator("Gleb", is_active=False): 40})


@pytest.fixture
def vera(bot: Source, page: Page, client: Client, live_server: LiveServer) -> Page:
    """A supervisor, signed in, on the page of the source."""
    client.force_login(User.objects.create_superuser("vera"))
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto(f"/admin/routing/source/{bot.pk}/change/")
    return page


def weights(bot: Source) -> dict[str, int]:
    return dict(bot.roster.values_list("operator__name", "weight"))


def shares(page: Page, name: str) -> list[str]:
    """The share of all, and of those on duty."""
    row = page.get_by_role("row", name=name)
    return [row.locator(f"[data-{kind}]").inner_text() for kind in ("share", "share-now")]


def test_shares_follow_while_a_weight_is_typed_and_nothing_is_stored_yet(vera: Page, bot: Source):
    assert [shares(vera, name) for name in ("Anna", "Boris", "Gleb")] == [
        ["12.5%", "25%"],
        ["37.5%", "75%"],
        ["50%", "–"],
    ]
    vera.get_by_label("Anna: weight").fill("30")
    assert [shares(vera, name) for name in ("Anna", "Boris", "Gleb")] == [
        ["30%", "50%"],
        ["30%", "50%"],
        ["40%", "–"],
    ]
    expect(vera.locator("[data-sum]")).to_have_text("100")
    expect(vera.locator("[data-sum-on-duty]")).to_have_text("60")
    assert weights(bot)["Anna"] == 10
    vera.get_by_label("Anna: weight").fill("")
    assert shares(vera, "Anna") == ["12.5%", "25%"]


def test_a_weight_applies_with_enter_and_is_undone_by_one_click_more(vera: Page, bot: Source):
    weight = vera.get_by_label("Anna: weight")
    weight.fill("30")
    weight.press("Enter")
    expect(vera.get_by_text("Telegram, roster: Anna 10 → 30")).to_be_visible()
    assert weights(bot)["Anna"] == 30
    vera.get_by_role("button", name="Undo").click()
    expect(vera.get_by_text("Reverted. Telegram, roster: Anna 30 → 10")).to_be_visible()
    expect(weight).to_have_value("10")
    assert shares(vera, "Anna") == ["12.5%", "25%"]
    assert weights(bot)["Anna"] == 10


def test_somebody_is_added_and_removed_by_the_keyboard_too(vera: Page, bot: Source):
    characters.source("Site", roster={characters.operator("Vera"): 10})
    vera.locator("#roster .select2-selection").click()
    vera.get_by_role("option", name="Vera").click()
    vera.locator("#new-weight").fill("20")
    vera.locator("#new-weight").press("Enter")
    expect(vera.get_by_text("Telegram, roster: + Vera 20")).to_be_visible()
    expect(vera.get_by_label("Vera: weight")).to_have_value("20")
    expect(vera.locator("#new-weight")).to_have_value("10")
    expect(vera.locator("#roster .select2-selection__rendered")).not_to_contain_text("Vera")
    vera.get_by_role("button", name="Remove Vera").focus()
    vera.keyboard.press("Enter")
    expect(vera.get_by_text("Telegram, roster: − Vera")).to_be_visible()
    expect(vera.get_by_label("Vera: weight")).to_have_count(0)
    assert "Vera" not in weights(bot)


def test_the_last_person_off_a_roster_is_told_before(vera: Page, bot: Source):
    for name in ("Boris", "Gleb"):
        source_actions.remove_from_roster(source_id=bot.pk, operator_id=Operator.objects.get(name=name).pk)
    vera.reload()
    vera.get_by_role("button", name="Remove Anna").click()
    question = vera.get_by_role("dialog")
    expect(question).to_contain_text("Telegram has nobody on its roster then.")
    vera.keyboard.press("Enter")  # Cancel has the focus
    expect(question).to_be_hidden()
    assert weights(bot) == {"Anna": 10}
    vera.get_by_role("button", name="Remove Anna").click()
    question.get_by_role("button", name="Remove from the roster").click()
    expect(vera.get_by_text("Nobody is on the roster yet")).to_be_visible()
    assert weights(bot) == {}


def test_duty_is_switched_where_the_roster_is(vera: Page, bot: Source):
    vera.get_by_role("switch", name="Gleb: on duty").click()
    expect(vera.get_by_text("Gleb is on duty.")).to_be_visible()
    expect(vera.get_by_role("row", name="Gleb").locator("[data-share-now]")).to_have_text("50%")


def test_roster_edits_do_not_ask_on_leaving_but_others_do(vera: Page, bot: Source):
    asked = kinds_of_questions(vera)
    vera.get_by_label("Anna: weight").fill("30")
    vera.get_by_label("Anna: weight").press("Enter")
    expect(vera.get_by_text("Anna 10 → 30")).to_be_visible()
    vera.reload()
    assert asked == []
    vera.get_by_label("Description").press_sequentially("Ours")
    vera.reload()
    assert asked == ["beforeunload"]


def test_a_trial_contact_says_who_would_get_it(vera: Page, bot: Source):
    vera.get_by_role("button", name="Send a trial contact").click()
    expect(vera.locator("#trial-result")).to_contain_text("would get it.")
    assert not Contact.objects.exists()


@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_is_no_wider_than_the_screen(vera: Page, width: int):
    vera.set_viewport_size({"width": width, "height": 900})
    assert vera.evaluate("document.documentElement.scrollWidth") <= width
