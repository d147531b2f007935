"""Every page in the eyes of axe-core, which knows what WCAG 2.2 asks for and a program can tell."""

import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

from routing.models import Contact
from tests.browser import tour

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.django_db(transaction=True)]

STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
VIOLATIONS = """async standards => (await axe.run({runOnly: standards})).violations.flatMap(
    broken => broken.nodes.map(node => [broken.id, node.target.join(" "), node.any.map(it => it.message).join("; ")])
)"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("axe")
    shutil.copytree(Path(__file__).parent / "axe", folder, dirs_exist_ok=True)
    subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=True, timeout=300)
    return (folder / "node_modules/axe-core/axe.min.js").read_text()


@pytest.mark.parametrize(("theme", "width", "language"), [("light", 1440, "en"), ("dark", 390, "ru")])
def test_no_page_breaks_a_rule(back_office: Page, wordy: Contact, axe: str, theme: str, width: int, language: str):
    back_office.set_viewport_size({"width": width, "height": 900})
    back_office.context.add_cookies([{"name": "django_language", "value": language, "url": back_office.url}])
    back_office.evaluate("theme => localStorage.setItem('adminTheme', JSON.stringify(theme))", theme)
    found = []
    for url in tour.all_pages(back_office):
        back_office.goto(url)
        back_office.evaluate(axe)
        found += [(url, *violation) for violation in back_office.evaluate(VIOLATIONS, STANDARDS)]
    assert not found, "\n".join(map(str, found))
