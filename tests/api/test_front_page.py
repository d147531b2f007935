"""`/` is a page for browsers and JSON for everybody else."""

import re

import pytest

pytestmark = pytest.mark.once  # bodies, sentences and headers are the same on both databases

BROWSERS = [
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "text/html",
]
MORE = ["application/json, text/plain, */*", "application/json, text/html;q=0.5", "*/*, text/html;q=0.1"]
PROGRAMS = ["", "*/*", "application/json", ";;", *MORE]


@pytest.mark.parametrize("accepted", BROWSERS)
def test_a_browser_gets_a_page(api, accepted):
    answer = api.get("/", headers={"Accept": accepted})
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    assert 'href="/docs"' in answer.text
    assert 'href="/admin/"' in answer.text


@pytest.mark.parametrize("accepted", PROGRAMS)
def test_everybody_else_gets_json(api, accepted):
    answer = api.get("/", headers={"Accept": accepted})
    assert (answer["Content-Type"], list(answer.json())) == ("application/json", ["message", "docs", "version"])


def test_who_names_no_type_gets_json(api):
    assert api.get("/").json()["docs"] == "/docs"


def test_caches_are_told_what_it_depends_on(api):
    assert api.get("/")["Vary"] == "Accept"
    assert api.get("/", headers={"Accept": BROWSERS[0]})["Vary"] == "Accept, Accept-Language"


def test_the_page_is_in_the_language_of_the_browser(api):
    page = api.get("/", headers={"Accept": BROWSERS[0], "Accept-Language": "ru"}).text
    assert 'lang="ru"' in page


def test_the_page_loads_nothing_from_elsewhere_and_runs_nothing_of_its_own(api):
    page = api.get("/", headers={"Accept": BROWSERS[0]}).text
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert not re.findall(r"<script>|\son\w+=", page)


def test_a_browser_at_an_unknown_address_gets_a_page(api):
    answer = api.get("/nowhere", headers={"Accept": BROWSERS[0]})
    assert (answer.status_code, answer["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert answer["Vary"] == "Accept, Accept-Language"
    assert "Page not found" in answer.text


@pytest.mark.parametrize(("path", "accepted"), [("/nowhere", "*/*"), ("/api/v1/nowhere", BROWSERS[0])])
def test_programs_and_the_api_get_json_there(api, path, accepted):
    assert api.get(path, headers={"Accept": accepted}).json()["code"] == "not_found"
