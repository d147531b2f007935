"""Every page opens, fits the width of the screen, shows all of its tables, and keeps the rules of WCAG 2.2.

The rules are those that axe-core knows, which is what a program can tell.
"""

import importlib.resources

import pytest
from playwright.sync_api import Page, expect

from routing.models import Contact
from tests.browser import tour

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# The cells of tables whose text is cut by their own edges or those of the table.
HIDDEN = """[...document.querySelectorAll("#result_list td, #result_list th, td.field-tabular")].filter(cell => {
    const box = cell.closest(".overflow-x-auto"), {right, width} = cell.getBoundingClientRect();
    if (!width) return false;
    const isCut = cell.scrollHeight > cell.clientHeight + 1 || cell.scrollWidth > cell.clientWidth + 1;
    return isCut || right > box.getBoundingClientRect().right + 1;
}).map(cell => cell.className.split(" ")[0])"""
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
VIOLATIONS = """async standards => {
    const {violations} = await axe.run({runOnly: standards, resultTypes: ["violations"]});
    return violations.flatMap(({id, nodes}) =>
        nodes.map(node => [id, node.target.join(" "), node.any.map(it => it.message).join("; ")]));
}"""


@pytest.fixture
def axe() -> str:
    return (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text()


@pytest.mark.parametrize(("language", "width", "theme"), [("en", 1440, "light"), ("ru", 390, "dark")])
def test_every_page_opens_fits_and_breaks_no_rule(
    back_office: Page, wordy: Contact, axe: str, language: str, width: int, theme: str
):
    back_office.set_viewport_size({"width": width, "height": 900})
    back_office.context.add_cookies([{"name": "django_language", "value": language, "url": back_office.url}])
    back_office.evaluate("theme => localStorage.setItem('adminTheme', JSON.stringify(theme))", theme)
    back_office.add_init_script(axe)
    violations = []
    for url in tour.all_pages(back_office):
        back_office.goto(url)  # a status other than 200 is a complaint
        expect(back_office.locator("h1").first).to_be_visible()
        assert back_office.evaluate("document.documentElement.scrollWidth") <= width, f"{url} is wider than the screen"
        assert back_office.evaluate(HIDDEN) == [], f"{url} hides what its tables say"
        violations += [(url, *violation) for violation in back_office.evaluate(VIOLATIONS, STANDARDS)]
    assert not violations, "\n".join(map(str, violations))
    expect(back_office.locator("html")).to_have_attribute("lang", language)
    expect(back_office.locator("html")).to_have_class(theme)
