"""A real Chromium, and somebody at its keyboard who notices every complaint."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

PROGRAMS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
PATIENCE = 120_000  # milliseconds: a page of a busy machine is slow, not broken
expect.set_options(timeout=PATIENCE)
# As root, in containers and without graphics; and nothing that calls home.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]


@pytest.fixture(scope="module", autouse=True)
def both_at_once() -> Iterator[None]:
    """Playwright runs an event loop in this thread, where Django refuses to use the database: here it is meant."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield


@pytest.fixture(scope="module")
def browser(both_at_once: None) -> Iterator[Browser]:
    """One for the module, and gone after it: tests that follow use the database again without an event loop."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not program:
        pytest.fail("No Chromium: install it, or name it in CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """An English tab. The test fails if a page complains, cannot load something, or asks another host for anything."""
    context = browser.new_context(base_url=live_server.url, locale="en-US", viewport={"width": 1440, "height": 900})
    complaints: list[str] = []
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("console", lambda it: complaints.append(it.text) if it.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda it: complaints.append(f"{it.status} {it.url}") if it.status >= 400 else None)
    page.on("request", lambda it: None if it.url.startswith((live_server.url, "data:")) else complaints.append(it.url))
    yield page
    context.close()
    assert complaints == []
