"""A real Chromium, and somebody at its keyboard who notices every complaint."""

import os
import shutil
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from access import keys
from routing.models import Contact, Source
from tests import characters, links

PROGRAMS = ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
PATIENCE = 120_000  # milliseconds: a page of a busy machine is slow, not broken
expect.set_options(timeout=PATIENCE)
# As root, in containers and without graphics; and nothing that calls home.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-gpu-compositing",  # or the processor draws in place of a graphics card
    "--disable-dev-shm-usage",
    "--no-zygote",  # a tenth less processor time of a page
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]


@pytest.fixture(scope="package", autouse=True)
def both_at_once() -> Iterator[None]:
    """Playwright runs an event loop in this thread, where Django refuses to use the database: here it is meant."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture(scope="package")
def browser(both_at_once: None) -> Iterator[Browser]:
    """One for this folder, and gone after it: tests that follow use the database again without an event loop."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not program:
        pytest.fail("No Chromium: install it, or name it in CHROMIUM.")
    with links.unchanged(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


def kinds_of_questions(page: Page) -> list[str]:
    """What the browser asks from now on, such as "beforeunload"; each question is answered with yes."""
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    return asked


@pytest.fixture(scope="package")
def profile(browser: Browser, live_server: LiveServer) -> BrowserContext:
    """Of an English visitor. Tests share what Chromium keeps of scripts and styles, which costs most of a page."""
    return browser.new_context(base_url=live_server.url, locale="en-US", viewport={"width": 1440, "height": 900})


@pytest.fixture
def own_profile(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    """For what a test could not undo in the one that tests share, such as the page's clock."""
    with browser.new_context(base_url=live_server.url, locale="en-US", viewport={"width": 1440, "height": 900}) as own:
        yield own


@pytest.fixture
def context(request: pytest.FixtureRequest) -> BrowserContext:
    """What tests share, unless one asks for `own_profile`."""
    name = "own_profile" if "own_profile" in request.fixturenames else "profile"
    chosen: BrowserContext = request.getfixturevalue(name)
    return chosen


@pytest.fixture
def page(context: BrowserContext, live_server: LiveServer) -> Iterator[Page]:
    """An empty tab. The test fails if a page complains, cannot load something, or asks another host for anything."""
    page = context.new_page()
    context.clear_cookies()
    context.clear_permissions()
    stored = {"origin": live_server.url, "storageTypes": "all"}
    context.new_cdp_session(page).send("Storage.clearDataForOrigin", stored)
    complaints: list[str] = []
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda it: complaints.append(it.text) if it.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda it: complaints.append(f"{it.status} {it.url}") if it.status >= 400 else None)
    page.on("request", lambda it: None if it.url.startswith((live_server.url, "data:")) else complaints.append(it.url))
    yield page
    page.close()
    assert complaints == []


@pytest.fixture
def cast() -> None:
    """Something to see on every page, one contact waiting, one pair of possible duplicates."""
    anna, boris = characters.operator("Anna", limit=1), characters.operator("Boris", limit=1)
    bot = characters.source("Telegram", roster={anna: 10, boris: 30})
    characters.contact(bot, lead_phone="+79991234567", lead_name="Ivan", message="Price?")
    characters.contact(bot, lead_email="ivan@example.com", lead_name="Vanya")
    characters.contact(bot, lead_phone="+79991234567", lead_email="ivan@example.com")
    Group.objects.create(name="Supervisors")
    keys.make_key(name="Office", source=None)


@pytest.fixture
def wordy(cast: None) -> Contact:
    """Of a client whose name and e-mail are as long as a screen and have nowhere to break."""
    bot = Source.objects.get()
    return characters.contact(bot, lead_name="Ж" * 60, lead_email=f"{'a' * 48}@example.com", message="щ" * 60)


@pytest.fixture
def back_office(cast: None, page: Page, client: Client, live_server: LiveServer) -> Page:
    """The start page, signed in."""
    client.force_login(User.objects.create_superuser("vera"))
    session = client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page.goto("/admin/")
    return page
