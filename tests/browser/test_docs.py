"""The API docs in a real browser, under the strict policy that holds outside the back-office."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_docs_are_drawn_from_our_own_files(page: Page):
    page.goto("/docs")
    expect(page.get_by_text("/api/v1/contacts", exact=True).first).to_be_visible()


def test_an_example_can_be_tried_out(page: Page):
    page.goto("/docs")
    page.locator("#operations-operators-operators_create").get_by_role("button").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table .response .response-col_status")).to_contain_text("201")
