"""A supervisor's day in a real browser; whatever a page complains of fails the test (see conftest)."""

import re
from typing import Literal

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from access import keys
from access.models import ApiKey
from leads.models import Lead
from operators.models import Operator
from routing.models import Contact
from tests import characters
from tests.browser import tour

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_supervisor_signs_in_and_out(page: Page):
    User.objects.create_superuser("vera", password="correct horse")
    page.goto("/admin/routing/contact/")
    page.get_by_label("Username").fill("vera")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Log in").click()
    open_own_menu(page)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_text("logged out")).to_be_visible()
    page.goto("/admin/routing/contact/")
    expect(page).to_have_url(re.compile("/admin/login/"))


def test_the_sidebar_leads_to_every_list(back_office: Page):
    for name, path in tour.LISTS.items():
        follow(back_office, name)
        expect(back_office).to_have_url(re.compile(f"/admin/{path}/"))


def test_where_room_is_short_the_name_of_what_the_page_shows_is_not_cut(back_office: Page, live_server: LiveServer):
    """In Russian, whose buttons are wide."""
    back_office.context.add_cookies([{"name": "django_language", "value": "ru", "url": live_server.url}])
    back_office.goto(f"/admin/operators/operator/{Operator.objects.get(name='Anna').pk}/change/")
    first, name = (back_office.locator(f"#header-inner h1 > :{end}-child") for end in ("first", "last"))
    expect(name).to_have_text("Anna")
    width = "of => of.getBoundingClientRect().width"
    is_cut = f"""crumb => {{
      const [words, width] = [new Range(), {width}];
      words.selectNodeContents(crumb);
      return width(words) > width(crumb);
    }}"""
    assert (first.evaluate(is_cut), name.evaluate(is_cut)) == (True, False)


@pytest.mark.parametrize("width", [390, 1440])
def test_the_button_in_the_head_shows_and_hides_the_sidebar(back_office: Page, width: int):
    back_office.set_viewport_size({"width": width, "height": 900})
    back_office.goto("/admin/routing/contact/")
    line = back_office.locator("#nav-sidebar").get_by_role("link", name="Operators")
    was_visible = line.is_visible()
    assert was_visible == (width == 1440)
    back_office.locator("h1").locator("xpath=..").get_by_text("dock_to_right").click()
    expect(line).to_be_visible(visible=not was_visible)


def test_filters_are_closed_on_a_phone_without_choosing(back_office: Page):
    back_office.set_viewport_size({"width": 390, "height": 900})
    back_office.goto("/admin/routing/contact/")
    open_filters(back_office)
    panel = back_office.locator("#changelist-filter")
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()


def test_what_cannot_be_undone_is_red(back_office: Page):
    def colour(path: str, role: Literal["link", "button"], button: str) -> str:
        back_office.goto(path)
        back_office.get_by_role(role, name=button).click()
        submit = back_office.locator("#dialog button[type=submit]")
        expect(submit).to_be_visible()
        return str(submit.evaluate("button => getComputedStyle(button).backgroundColor"))

    lead, contact = Lead.objects.get(name="Ivan"), Contact.objects.open()[0]
    erase = colour(f"/admin/leads/lead/{lead.pk}/change/", "link", "Erase…")
    assert erase != colour(f"/admin/routing/contact/{contact.pk}/change/", "button", "Return to the queue")


def test_filters_by_source_and_operator_offer_names(back_office: Page):
    back_office.goto("/admin/routing/contact/?status=assigned")
    open_filters(back_office)
    for number, name in enumerate(["Telegram", "Boris"]):
        back_office.locator("#changelist-filter .select2-selection").nth(number).click()
        back_office.get_by_role("option", name=name).click()
    back_office.get_by_role("button", name="Apply Filters").click()
    back_office.wait_for_url("**operator__id__exact=**")
    expect(back_office.locator("#result_list tbody tr.data-row")).to_have_count(1)


def test_every_label_of_a_card_begins_with_a_capital(back_office: Page):
    back_office.set_viewport_size({"width": 390, "height": 900})
    back_office.goto("/admin/routing/source/")
    cells = back_office.locator("#result_list tbody tr").first.locator("[data-label]")
    expect(cells.nth(1)).to_have_attribute("data-label", "Name")
    labels = [cell.get_attribute("data-label") for cell in cells.all()]
    assert labels[1:] == ["Name", "Description", "Roster"]


def test_a_dialog_fits_on_a_phone(back_office: Page, wordy: Contact):
    back_office.set_viewport_size({"width": 390, "height": 500})
    Operator.objects.filter(name="Boris").update(name="Ж" * 60)
    back_office.goto(f"/admin/routing/contact/{wordy.pk}/change/")
    back_office.get_by_role("button", name="Assign to…").click()
    expect(back_office.locator("#dialog")).to_be_visible()
    box = back_office.locator("#modal-content").bounding_box()
    assert box is not None
    assert box["x"] >= 16
    assert box["x"] + box["width"] <= 390 - 16


def test_an_operator_hands_over_and_goes_off_duty(back_office: Page):
    anna = Operator.objects.get(name="Anna")
    back_office.goto(f"/admin/operators/operator/{anna.pk}/change/")
    back_office.get_by_text("Hand over all contacts").click()
    back_office.get_by_role("link", name="And go off duty").click()
    back_office.locator("#dialog").get_by_role("button", name="Hand over").click()
    expect(back_office.get_by_text("Anna. Handed over: 0, in the queue: 1, kept: 0.")).to_be_visible()


def test_the_queue_leads_to_what_waits(back_office: Page):
    follow(back_office, "Queue and fairness")
    expect(back_office.get_by_text("within chance").first).to_be_visible()
    back_office.locator("#content-main").get_by_role("link", name="Telegram").click()
    expect(back_office.locator("#result_list tbody tr.data-row")).to_have_count(1)


def test_an_operator_is_archived_found_in_the_archive_and_restored(back_office: Page):
    follow(back_office, "Operators")
    back_office.get_by_role("link", name="Anna").click()
    back_office.get_by_role("link", name="Move to the archive").click()
    back_office.locator("#dialog").get_by_role("button", name="Move to the archive").click()
    expect(back_office.get_by_text("1 operator was archived.")).to_be_visible()
    follow(back_office, "Operators")
    expect(back_office.get_by_role("link", name="Anna")).to_have_count(0)
    open_filters(back_office)
    back_office.get_by_label("Archived").check()
    back_office.get_by_role("button", name="Apply Filters").click()
    back_office.get_by_role("link", name="Anna").click()
    back_office.get_by_role("link", name="Restore from the archive").click()
    back_office.locator("#dialog").get_by_role("button", name="Restore").click()
    expect(back_office.get_by_text("1 operator was restored")).to_be_visible()
    assert Operator.objects.current().filter(name="Anna").exists()


def test_an_operator_a_source_and_a_group_are_made(back_office: Page):
    for path, fields in {
        "operators/operator": {"name": "Gleb", "max_load": "5"},
        "routing/source": {"name": "WhatsApp"},
        "auth/group": {"name": "Clerks"},
    }.items():
        back_office.goto(f"/admin/{path}/add/")
        for name, value in fields.items():
            back_office.locator(f"[name={name}]").fill(value)
        back_office.get_by_role("button", name="Save", exact=True).click()
        expect(back_office.get_by_text("was added")).to_be_visible()


def test_a_key_is_made_rotated_and_revoked(back_office: Page):
    follow(back_office, "API keys")
    back_office.goto("/admin/access/apikey/add/")
    back_office.get_by_label("Name").fill("Telegram bot")
    back_office.get_by_label("Scope").select_option(label="Telegram")
    back_office.get_by_role("button", name="Create the key").click()
    first = shown_key(back_office)
    back_office.get_by_role("button", name="Copy").click()
    expect(back_office.get_by_role("button", name="Copied")).to_be_visible()
    back_office.get_by_role("link", name="I have saved the key").click()
    back_office.get_by_role("link", name="Telegram bot").click()
    back_office.get_by_role("link", name="Rotate").click()
    back_office.get_by_role("button", name="Create the new key").click()
    assert shown_key(back_office).lineage == first.lineage
    back_office.goto(f"/admin/access/apikey/{first.pk}/change/")
    back_office.get_by_role("link", name="Revoke").click()
    back_office.locator("#dialog").get_by_role("button", name="Revoke").click()
    expect(back_office.get_by_text("1 key was revoked")).to_be_visible()
    assert not ApiKey.objects.live().filter(pk=first.pk).exists()


def shown_key(page: Page) -> ApiKey:
    key = keys.find_live_key(page.locator("#new-key").inner_text())
    assert key
    return key


def test_a_lead_is_found_by_phone_and_renamed(back_office: Page):
    follow(back_office, "Leads")
    back_office.locator("#searchbar").fill("8 999 123-45-67")
    back_office.keyboard.press("Enter")
    back_office.get_by_role("link", name="Ivan").click()
    back_office.locator("[name=name]").fill("Ivan Petrov")
    back_office.get_by_role("button", name="Save", exact=True).click()
    expect(back_office.locator("#result_list").get_by_role("link", name="Ivan Petrov")).to_be_visible()


def test_two_leads_are_merged_from_the_list_and_separated_again(back_office: Page):
    follow(back_office, "Possible duplicates")
    expect(back_office.locator("#nav-sidebar .badge")).to_have_text("1")
    back_office.get_by_role("link", name="Same person: merge…").click()
    dialog = back_office.locator("#dialog")
    dialog.get_by_label("Vanya").check()
    dialog.get_by_role("button", name="Merge").click()
    expect(back_office.get_by_text("1 pair was merged.")).to_be_visible()
    expect(back_office.locator("#nav-sidebar .badge")).to_have_count(0)
    ivan, vanya = Lead.objects.get(name="Ivan"), Lead.objects.get(name="Vanya")
    back_office.goto(f"/admin/leads/lead/{ivan.pk}/change/")
    back_office.locator(".notice").get_by_role("link", name="Vanya").click()
    back_office.get_by_role("link", name="Undo…").click()
    dialog.get_by_role("button", name="Undo the merge").click()
    expect(back_office.get_by_text("1 merge was undone.")).to_be_visible()
    expect(back_office).to_have_url(re.compile(f"/{vanya.pk}/change/"))
    assert set(Lead.objects.current()) == {ivan, vanya}


def test_selected_pairs_are_merged_after_a_confirmation(back_office: Page):
    follow(back_office, "Possible duplicates")
    back_office.locator("input.action-select").check()
    back_office.locator("select[name=action]").select_option(label="Same person: merge into the older lead")
    back_office.get_by_role("button", name="Run").click()
    expect(back_office.get_by_role("heading", name="Merge these leads?")).to_be_visible()
    back_office.get_by_role("button", name="Merge").click()
    expect(back_office.get_by_text("1 pair was merged.")).to_be_visible()
    assert [lead.name for lead in Lead.objects.current()] == ["Ivan"]


def test_another_lead_is_searched_for_and_merged(back_office: Page):
    back_office.goto(f"/admin/leads/lead/{Lead.objects.get(name='Ivan').pk}/change/")
    back_office.get_by_role("link", name="Merge with another lead…").click()
    back_office.locator("[name=q]").fill("IVAN@example.com")
    back_office.get_by_role("button", name="Find").click()
    back_office.get_by_role("link", name="Same person: merge…").click()
    back_office.locator("#dialog").get_by_role("button", name="Merge").click()
    expect(back_office.get_by_text("1 pair was merged.")).to_be_visible()
    assert Lead.objects.current().count() == 1


def test_a_person_is_exported_and_then_erased(back_office: Page):
    ivan = Lead.objects.get(name="Ivan")
    back_office.goto(f"/admin/leads/lead/{ivan.pk}/change/")
    with back_office.expect_download() as download:
        back_office.get_by_role("link", name="Export").click()
    assert download.value.suggested_filename == f"lead-{ivan.pk}.json"
    back_office.get_by_role("link", name="Erase…").click()
    dialog = back_office.locator("#dialog")
    dialog.get_by_role("button", name="Erase permanently").click()
    expect(dialog.get_by_text("This field is required.")).to_be_visible()
    dialog.locator("[name=number]").fill(str(ivan.pk))
    dialog.get_by_role("button", name="Erase permanently").click()
    expect(back_office.get_by_text("The lead was erased.")).to_be_visible()
    expect(back_office.locator(".notice")).to_contain_text("All personal data was removed")


def test_a_form_with_a_mistake_says_which(back_office: Page):
    characters.source("WhatsApp")
    back_office.goto("/admin/routing/source/")
    back_office.get_by_role("link", name="WhatsApp").click()
    back_office.locator("[name=name]").fill("Telegram")
    back_office.get_by_role("button", name="Save", exact=True).click()
    expect(back_office.get_by_text("A source with this name already exists.")).to_be_visible()


def test_the_user_chooses_the_theme(back_office: Page):
    for theme in ("dark", "light"):
        open_own_menu(back_office)
        back_office.get_by_text(theme.title(), exact=True).click()
        back_office.reload()
        expect(back_office.locator("html")).to_have_class(theme)


def test_the_user_chooses_the_language(back_office: Page):
    open_own_menu(back_office)
    back_office.get_by_role("button", name="Русский").click()
    expect(back_office.locator("#nav-sidebar").get_by_role("link", name="Операторы")).to_be_visible()


def open_own_menu(page: Page) -> None:
    page.locator("#nav-sidebar").get_by_text("vera", exact=True).click()


def open_filters(page: Page) -> None:
    page.locator("#content-main a", has_text="Filters").click()


def follow(page: Page, name: str) -> None:
    """Clicks a line of the sidebar."""
    with page.expect_navigation():
        page.locator("#nav-sidebar").get_by_role("link").filter(has=page.get_by_text(name, exact=True)).click()
