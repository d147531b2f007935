"""The matrix of weights at the keyboard, and a what-if."""

import json

import pytest
from playwright.sync_api import FilePayload, Page, expect

from core.changes.models import Change
from operators.models import Operator
from routing import source_actions
from routing.models import RosterEntry, Source
from routing.what_if import runs
from tests import characters

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def matrix(back_office: Page) -> Page:
    """The sources Mail, Site and Telegram, of Anna and Boris."""
    anna, boris = Operator.objects.order_by("name")
    Operator.objects.update(max_load=100)
    characters.source("Mail", roster={anna: 20})
    characters.source("Site", roster={anna: 50, boris: 50})
    back_office.goto("/admin/distribution/")
    return back_office


def cell(page: Page, operator: str, source: str):
    return page.get_by_role("textbox", name=f"{operator} {source}", exact=True)


def below(page: Page, operator: str, source: str):
    return cell(page, operator, source).locator("xpath=../small")


def weights():
    entries = RosterEntry.objects.values_list("source__name", "operator__name", "weight")
    return {(source, operator): weight for source, operator, weight in entries}


def paste(page: Page, text: str) -> None:
    page.evaluate(
        """text => {
            const data = new DataTransfer();
            data.setData("text", text);
            document.activeElement.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
            );
        }""",
        text,
    )


def test_weights_of_three_sources_are_one_change(matrix: Page):
    Change.objects.all().delete()
    cell(matrix, "Anna", "Telegram").fill("30")
    cell(matrix, "Boris", "Mail").fill("5")
    cell(matrix, "Anna", "Site").fill("")
    expect(matrix.get_by_text("Cells changed: 3. Sources: 3.")).to_be_visible()
    matrix.get_by_label("Reason").fill("Season")
    matrix.get_by_role("button", name="Save").click()
    expect(matrix.get_by_text("3 cells were saved.")).to_be_visible()
    expect(matrix.get_by_text("Nothing is changed.")).to_be_visible()
    assert weights() == {
        ("Telegram", "Anna"): 30,
        ("Telegram", "Boris"): 30,
        ("Mail", "Anna"): 20,
        ("Mail", "Boris"): 5,
        ("Site", "Boris"): 50,
    }
    assert list(Change.objects.values_list("reason", flat=True)) == ["Season"] * 3


def test_shares_and_warnings_follow_what_is_typed(matrix: Page):
    expect(below(matrix, "Anna", "Telegram")).to_have_text("25%")
    cell(matrix, "Anna", "Telegram").fill("90")
    expect(below(matrix, "Anna", "Telegram")).to_have_text("75%")
    expect(below(matrix, "Boris", "Telegram")).to_have_text("25%")
    cell(matrix, "Anna", "Mail").fill("")
    expect(matrix.get_by_text("Without anybody: Mail.")).to_be_visible()
    matrix.get_by_role("button", name="Discard").click()
    expect(below(matrix, "Anna", "Telegram")).to_have_text("25%")
    expect(matrix.get_by_text("Without anybody")).to_have_count(0)


def test_cells_are_pasted_from_a_spreadsheet(matrix: Page):
    cell(matrix, "Anna", "Mail").focus()
    paste(matrix, "11\t12\t13\n\t22\t23\n31\t\t\n")
    assert [cell(matrix, "Anna", name).input_value() for name in ("Mail", "Site", "Telegram")] == ["11", "12", "13"]
    assert [cell(matrix, "Boris", name).input_value() for name in ("Mail", "Site", "Telegram")] == ["", "22", "23"]
    expect(matrix.get_by_text("3 of the pasted cells are beyond the edge")).to_be_visible()
    cell(matrix, "Boris", "Mail").focus()
    paste(matrix, "many\t1")
    expect(cell(matrix, "Boris", "Mail")).to_have_attribute("aria-invalid", "true")
    expect(matrix.get_by_role("button", name="Save")).to_be_disabled()


def test_arrows_go_from_line_to_line(matrix: Page):
    cell(matrix, "Anna", "Site").press("ArrowDown")
    expect(cell(matrix, "Boris", "Site")).to_be_focused()
    cell(matrix, "Boris", "Site").press("ArrowUp")
    expect(cell(matrix, "Anna", "Site")).to_be_focused()


def test_what_if_takes_two_clicks_at_most(matrix: Page):
    for _ in range(20):
        characters.contact(Source.objects.get(name="Site"))
    cell(matrix, "Anna", "Site").fill("100")
    matrix.get_by_role("button", name="What if…").click()
    expect(matrix.get_by_text("The period is replayed 100 times")).to_be_visible()
    runs.work_off()
    shares = matrix.get_by_role("table", name="Shares")
    expect(shares.get_by_role("row", name="Anna")).to_contain_text("%")
    expect(shares.get_by_role("row", name="9 of 10 contacts")).to_contain_text("0 s")
    expect(matrix.locator("[data-live*=what-if]")).to_have_count(0)
    assert weights()["Site", "Anna"] == 50


def test_a_phone_shows_one_source_at_a_time(matrix: Page):
    matrix.set_viewport_size({"width": 390, "height": 800})
    expect(cell(matrix, "Anna", "Mail")).to_be_visible()
    expect(cell(matrix, "Anna", "Site")).to_be_hidden()
    matrix.get_by_label("Source").first.select_option(label="Site")
    expect(cell(matrix, "Anna", "Site")).to_be_visible()
    expect(cell(matrix, "Anna", "Mail")).to_be_hidden()
    assert matrix.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_file_is_looked_at_before_it_is_saved(matrix: Page):
    anna, mail = Operator.objects.get(name="Anna"), Source.objects.get(name="Mail")
    lines = f"id;Operator;Mail [{mail.pk}]\n{anna.pk};Anna;77\n".encode()
    file = FilePayload(name="weights.csv", mimeType="text/csv", buffer=lines)
    matrix.get_by_label("Weights from CSV").set_input_files([file])
    matrix.get_by_role("button", name="Look at the file").click()
    expect(matrix.get_by_text("The file changes 1 cell.")).to_be_visible()
    expect(cell(matrix, "Anna", "Mail")).to_have_value("77")
    expect(matrix.get_by_text("Cells changed: 1. Sources: 1.")).to_be_visible()
    assert weights()["Mail", "Anna"] == 20
    matrix.get_by_role("button", name="Save").click()
    expect(matrix.get_by_text("1 cell was saved.")).to_be_visible()
    assert weights()["Mail", "Anna"] == 77


def test_who_was_overtaken_sees_both_weights_and_saves_again(matrix: Page):
    """The answer to one who was overtaken, as a page without complaints must get it: the browser logs any 409."""
    anna, mail = Operator.objects.get(name="Anna"), Source.objects.get(name="Mail")
    cell(matrix, "Anna", "Mail").fill("77")
    source_actions.set_weight(source_id=mail.pk, operator_id=anna.pk, weight=33)
    told = [{"source": mail.pk, "operator": anna.pk, "weight": 33}]
    matrix.evaluate(f"htmx.trigger(document.getElementById('matrix-form'), 'overtaken', {{value: {json.dumps(told)}}})")
    expect(below(matrix, "Anna", "Mail")).to_have_text("33 meanwhile")
    expect(cell(matrix, "Anna", "Mail")).to_have_value("77")
    matrix.get_by_role("button", name="Save").click()
    expect(matrix.get_by_text("1 cell was saved.")).to_be_visible()
    assert weights()["Mail", "Anna"] == 77
