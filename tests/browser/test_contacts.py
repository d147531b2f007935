"""Contacts in a real browser, with the number of clicks that each job takes."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from operators.models import Operator
from routing import lifecycle, saved_views
from routing.models import Contact, ContactNote, SavedView, Source
from tests import characters

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ROWS = "#result_list tbody tr.data-row"


def contact_page(page: Page, contact: Contact) -> None:
    page.goto(f"/admin/routing/contact/{contact.pk}/change/")


def contact_list(page: Page, query: str = "") -> None:
    page.goto(f"/admin/routing/contact/{query}")


def test_why_it_waits_is_in_the_list_and_one_click_tells_more(back_office: Page):
    contact_list(back_office)
    row = back_office.locator(ROWS)
    expect(row).to_contain_text("everybody is at the limit")
    row.get_by_role("link").first.click()  # 1
    why = back_office.get_by_role("heading", name="Why")
    expect(why).to_be_in_viewport()
    expect(back_office.locator(".contact-state")).to_contain_text("at the limit")


def test_it_is_given_to_somebody_by_two_clicks_and_a_choice(back_office: Page):
    characters.operator("Vera")
    contact = Contact.objects.waiting().get()
    contact_page(back_office, contact)
    back_office.get_by_role("button", name="Assign to…").click()  # 1
    dialog = back_office.locator("#dialog")
    dialog.get_by_label("Operator").select_option(label="Vera (0 of 10)")
    dialog.get_by_role("button", name="Assign").click()  # 2
    expect(back_office.get_by_text("1 contact was assigned to Vera.")).to_be_visible()
    expect(back_office.get_by_text("Assigned manually by user vera: from the queue to Vera.")).to_be_visible()


def test_a_refusal_keeps_the_dialog_and_offers_to_assign_all_the_same(back_office: Page):
    contact = Contact.objects.open().get(operator__name="Anna")
    contact_page(back_office, contact)
    back_office.get_by_role("button", name="Assign to…").click()
    dialog = back_office.locator("#dialog")
    dialog.get_by_role("button", name="Assign").click()
    expect(dialog.get_by_text("This field is required.")).to_be_visible()
    dialog.get_by_label("Operator").select_option(label="Boris (1 of 1)")
    dialog.get_by_role("button", name="Assign").click()
    expect(dialog.get_by_text("This operator is at the limit.")).to_be_visible()
    expect(dialog.get_by_label("Operator").locator("option:checked")).to_have_text("Boris (1 of 1)")
    dialog.get_by_label("Assign all the same").check()
    dialog.get_by_role("button", name="Assign").click()
    expect(back_office.get_by_text("1 contact was assigned to Boris.")).to_be_visible()


def test_resolving_is_one_click_and_so_is_taking_it_back(back_office: Page):
    contact = Contact.objects.open().order_by("pk")[0]
    contact_page(back_office, contact)
    back_office.get_by_role("button", name="Resolve").click()  # 1
    toast = back_office.locator(".toast")
    expect(toast).to_contain_text("1 contact was resolved.")
    expect(back_office.get_by_role("button", name="Reopen")).to_be_visible()  # the page has followed
    toast.get_by_role("button", name="Undo").click()  # 2
    expect(back_office.locator(".toast")).to_contain_text("1 contact was reopened.")
    expect(back_office.get_by_role("button", name="Resolve")).to_be_visible()


def test_selected_contacts_are_resolved_and_reopened(back_office: Page):
    contact_list(back_office, "?status=assigned")
    expect(back_office.locator(".bulk")).to_be_hidden()
    back_office.locator("#action-toggle").check()
    expect(back_office.locator(".bulk")).to_contain_text("2 of 2 selected")
    back_office.locator(".bulk").get_by_role("button", name="Resolve").click()
    expect(back_office.locator(".toast")).to_contain_text("2 contacts were resolved.")
    back_office.locator(".toast").get_by_role("button", name="Undo").click()
    expect(back_office.get_by_text("2 contacts were reopened.")).to_be_visible()


def test_selected_contacts_are_given_to_somebody(back_office: Page):
    characters.operator("Vera")
    contact_list(back_office)
    back_office.locator("input.action-select").check()
    back_office.locator(".bulk").get_by_role("button", name="Assign to…").click()
    dialog = back_office.locator("#dialog")
    dialog.get_by_label("Operator").select_option(label="Vera (0 of 10)")
    dialog.get_by_role("button", name="Assign").click()
    expect(back_office.get_by_text("1 contact was assigned to Vera.")).to_be_visible()
    assert not Contact.objects.waiting().exists()


def test_a_new_contact_appears_by_itself_and_not_while_boxes_are_checked(back_office: Page):
    contact_list(back_office)
    expect(back_office.locator(ROWS)).to_have_count(1)
    characters.contact(Source.objects.get(), lead_name="Somebody new")
    refresh(back_office)
    expect(back_office.locator(ROWS)).to_have_count(2)
    expect(back_office.get_by_role("link", name="Waiting 2")).to_be_visible()
    back_office.locator("input.action-select").first.check()
    expect(back_office.locator(".bulk")).to_contain_text("1 of 2 selected")
    characters.contact(Source.objects.get())
    with back_office.expect_response(re.compile("/live/")):
        refresh(back_office)
    expect(back_office.locator("input.action-select:checked")).to_have_count(1)
    back_office.locator("input.action-select").first.uncheck()
    refresh(back_office)
    expect(back_office.locator(ROWS)).to_have_count(3)


@pytest.mark.usefixtures("own_profile")
def test_ages_in_the_list_are_counted_on(back_office: Page):
    back_office.clock.install()
    contact_list(back_office)
    age = back_office.locator(ROWS).locator("[data-elapsed]").first
    expect(age).to_have_text("less than 1 min")
    back_office.route("**/contact/live/**", lambda route: route.fulfill(status=304))
    back_office.clock.fast_forward("05:30")
    expect(age).to_have_text("5 min")


def refresh(page: Page) -> None:
    page.evaluate("document.dispatchEvent(new Event('refresh'))")


def test_a_contact_that_somebody_else_moves_follows(back_office: Page):
    contact = Contact.objects.open().order_by("pk")[0]
    contact_page(back_office, contact)
    lifecycle.return_contact(contact_id=contact.pk, by="user boris")
    refresh(back_office)
    expect(back_office.get_by_text("Returned to the queue by user boris")).to_be_visible()
    expect(back_office.locator(".contact-state")).to_contain_text("Place in the queue")


def test_every_decision_of_the_history_opens_its_own_table_and_stays_open(back_office: Page):
    contact = Contact.objects.open().get(operator__name="Anna")
    lifecycle.force_contact(contact_id=contact.pk, operator_id=Operator.objects.get(name="Boris").pk, by="user maria")
    contact_page(back_office, contact)
    line = back_office.locator("#contact-history details")
    expect(line).to_have_count(1)  # the hand-made decision had no candidates
    line.locator("summary").click()  # 1
    expect(line.locator("td").filter(has_text="%").first).to_be_visible()
    lifecycle.resolve_contact(contact_id=contact.pk, by="user boris")
    refresh(back_office)
    expect(back_office.get_by_text("Resolved by user boris")).to_be_visible()
    expect(line.locator("td").filter(has_text="%").first).to_be_visible()


def test_a_note_is_written_and_what_is_typed_stays_while_the_page_follows(back_office: Page):
    contact = Contact.objects.waiting().get()
    contact_page(back_office, contact)
    back_office.get_by_label("New note").fill("Call after six")
    refresh(back_office)
    back_office.get_by_role("button", name="Add the note").click()
    expect(back_office.locator("#contact-notes")).to_contain_text("Call after six")
    expect(back_office.get_by_label("New note")).to_have_value("")
    assert ContactNote.objects.get().by == "user vera"


def test_a_view_is_saved_used_and_removed(back_office: Page):
    contact_list(back_office, "?q=ivan")
    back_office.get_by_role("button", name="Save this view…").click()
    back_office.locator("#dialog").get_by_label("Name").fill("All of Ivan")
    back_office.locator("#dialog").get_by_role("button", name="Save").click()
    expect(back_office.locator(".view")).to_have_count(1)
    contact_list(back_office)
    back_office.get_by_role("link", name="All of Ivan").click()
    expect(back_office).to_have_url(re.compile(r"\?q=ivan$"))
    back_office.get_by_role("button", name="Remove the view “All of Ivan”").click()
    expect(back_office.locator(".view")).to_have_count(0)
    back_office.locator(".toast").get_by_role("button", name="Undo").click()
    expect(back_office.locator(".view")).to_have_count(1)
    assert SavedView.objects.get().query == "q=ivan"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_fits_on_a_phone(back_office: Page, wordy: Contact, theme: str):
    back_office.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    back_office.set_viewport_size({"width": 390, "height": 900})
    saved_views.save_view(user_id=User.objects.get(username="vera").pk, name="Ж" * 60, query="q=ivan")
    for address in ("/admin/routing/contact/?status=waiting", f"/admin/routing/contact/{wordy.pk}/change/"):
        back_office.goto(address)
        expect(back_office.locator(".tabs, .contact").first).to_be_visible()
        assert back_office.evaluate("document.documentElement.scrollWidth") <= 390
