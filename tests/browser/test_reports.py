"""Reports in a real browser."""

import io
from datetime import timedelta

import openpyxl
import pytest
import time_machine
from django.utils import timezone
from playwright.sync_api import Page, expect

from operators.models import Operator
from tests import characters

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EVIL = "</script><img src=x onerror=alert(1)>=1+1 Konstantinopolskaya"


@pytest.fixture
def last_week(cast: None) -> None:
    """One contact of a week ago, with somebody whose name is hostile."""
    anna = characters.operator("Anna", limit=9)
    Operator.objects.filter(pk=anna.pk).update(name=EVIL)
    with time_machine.travel(timezone.now() - timedelta(days=7)):
        characters.contact(characters.source("Shop", roster={anna: 10}))


def test_the_report_of_last_week_is_a_file_after_three_clicks(back_office: Page, last_week: None):
    back_office.locator("#nav-sidebar a, aside a, nav a").filter(has_text="Reports").first.click()
    back_office.get_by_role("link", name="Last week", exact=True).click()
    with back_office.expect_download() as started:
        back_office.get_by_role("link", name="Table as XLSX").click()
    rows = list(openpyxl.load_workbook(io.BytesIO(started.value.path().read_bytes())).active.values)
    assert [row[:3] for row in rows[1:]] == [(EVIL, 1, 1), ("Total", 1, 1)]
    assert started.value.suggested_filename.endswith(".xlsx")


def test_charts_show_the_numbers_of_the_table_and_no_html(back_office: Page, last_week: None):
    back_office.goto("/admin/reports/?period=last_week")
    expect(back_office.get_by_role("rowheader", name=EVIL)).to_be_visible()
    drawn = back_office.evaluate(
        "() => [...document.querySelectorAll('[data-chart]')].map(canvas => {"
        "  const {labels, datasets} = Chart.getChart(canvas).data;"
        "  return [labels, datasets.map(({label, data}) => [label, data])]; })"
    )
    label = f"{EVIL[:17]}…"
    assert drawn == [
        [[label], [["Assigned", [1]], ["Resolved", [0]]]],
        [[label], [["Wait of nine in ten, minutes", [0]]]],
    ]


def test_charts_are_drawn_again_in_the_colours_of_another_theme(back_office: Page, last_week: None):
    back_office.goto("/admin/reports/?period=last_week&by=day")
    color = "() => Chart.getChart(document.querySelector('[data-chart=flow]')).options.scales.x.ticks.color"
    light = back_office.evaluate(color)
    back_office.evaluate("document.documentElement.classList.toggle('dark')")
    back_office.wait_for_function(f"before => ({color})() !== before", arg=light)


def test_a_period_of_ones_own_is_chosen_by_keyboard_on_a_phone(back_office: Page, last_week: None):
    back_office.set_viewport_size({"width": 390, "height": 844})
    back_office.goto("/admin/reports/")
    back_office.get_by_text("Own period, source, operator").focus()
    back_office.keyboard.press("Enter")
    back_office.get_by_label("First day").fill("2020-01-01")
    back_office.get_by_label("Last day").fill("2019-01-01")
    back_office.get_by_label("Last day").press("Tab")
    today = timezone.now().date().isoformat()
    back_office.get_by_label("Last day").fill(today)
    back_office.get_by_label("First day").fill(today)
    back_office.get_by_role("button", name="Show").press("Enter")
    expect(back_office.get_by_role("rowheader", name="Total")).to_be_visible()
    assert back_office.evaluate("document.documentElement.scrollWidth") == 390
