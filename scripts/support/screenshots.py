#!/usr/bin/env python3
"""Makes the screenshots of the README in docs/images/, from a service of its own with the demo's data.

    .venv/bin/python scripts/support/screenshots.py
    .venv/bin/python scripts/support/screenshots.py --every-page FOLDER

The second command makes pictures of every page to look at: in both languages, light and dark, on a phone and on a
desk. It needs the environment of scripts/test (Playwright) and a Chromium. It changes nothing outside docs/images/ or
the given folder, and a temporary one.
"""

import argparse
import itertools
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright
from programs import CHROMIUM, find

PROJECT = Path(__file__).resolve().parents[2]
IMAGES = PROJECT / "docs/images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]  # as root, and in containers
LANGUAGES = {"en": "en-US", "ru": "ru-RU"}
USER = "demo"
CONTACTS = {2: 70, 3: 70, 1: 110}  # by source: so many that somebody is full and some wait
PAGES = {  # name: path, height
    "now": ("/admin/", 820),
    "contact": ("/admin/routing/contact/40/change/", 900),
}
MOST_BYTES = 150_000
WIDTHS = (390, 1440)
LISTS = {  # name: path
    "now": "",
    "my-contacts": "my-contacts/",
    "contacts": "routing/contact/",
    "leads": "leads/lead/",
    "duplicates": "leads/possibleduplicate/",
    "distribution": "distribution/",
    "queue": "queue/",
    "calendar": "calendar/",
    "reports": "reports/?period=today",
    "holidays": "holidays/",
    "changes": "changes/change/",
    "operators": "operators/operator/",
    "leave": "operators/operator/leave/",
    "sources": "routing/source/",
    "channels": "messenger/channel/",
    "notices": "messenger/notice/",
    "alarms": "messenger/alarm/",
    "webhooks": "notifications/webhook/",
    "deliveries": "notifications/delivery/",
    "people": "auth/user/",
    "roles": "auth/group/",
    "keys": "access/apikey/",
}
SINGLE_PAGES = {
    "contact": "routing/contact/40/change/",
    "contact-waiting": "routing/contact/250/change/",
    "lead": "leads/lead/1/change/",
    "operator": "operators/operator/1/change/",
    "operator-add": "operators/operator/add/",
    "operator-shifts": "operators/operator/1/shifts/",
    "source": "routing/source/1/change/",
    "source-add": "routing/source/add/",
    "source-hours": "routing/source/1/hours/",
    "webhook-add": "notifications/webhook/add/",
    "key-add": "access/apikey/add/",
    "role": "auth/group/1/change/",
    "profile": "profile/",
    "two-factor": "two-factor/",
    "password": "password_change/",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every-page", type=Path, metavar="FOLDER")
    folder_of_all: Path | None = parser.parse_args().every_page
    program = os.environ.get("CHROMIUM") or find(CHROMIUM)
    if not program:
        sys.exit("No Chromium: install it, or name it in CHROMIUM.")
    password = secrets.token_urlsafe(16)
    with (
        tempfile.TemporaryDirectory() as folder,
        demo_service(Path(folder), password) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        if folder_of_all:
            take_every_page(browser, url, password, folder_of_all)
        else:
            take_those_of_the_readme(browser, url, password)
        browser.close()


def take_those_of_the_readme(browser: Browser, url: str, password: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    for language, locale in LANGUAGES.items():
        page = browser.new_page(base_url=url, locale=locale)
        sign_in(page, password)
        for name, (path, height) in PAGES.items():
            page.set_viewport_size({"width": 1280, "height": height})
            take_screenshot(page, path, f"{name}.{language}.png")


def take_every_page(browser: Browser, url: str, password: str, folder: Path) -> None:
    """NAME.LANGUAGE.THEME.WIDTH.png, each from top to bottom."""
    folder.mkdir(parents=True, exist_ok=True)
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for (language, locale), scheme in itertools.product(LANGUAGES.items(), schemes):
        page = browser.new_page(base_url=url, locale=locale, color_scheme=scheme)
        sign_in(page, password)
        for (name, path), width in itertools.product((LISTS | SINGLE_PAGES).items(), WIDTHS):
            page.set_viewport_size({"width": width, "height": 900})
            answer = page.goto(f"/admin/{path}")
            page.wait_for_load_state("load")
            if answer is None or not answer.ok:
                print(f"{path}: {answer.status if answer else 'no answer'}")
                continue
            page.screenshot(path=folder / f"{name}.{language}.{scheme}.{width}.png", full_page=True)
        page.close()
    print(f"{len(list(folder.iterdir()))} pictures in {folder}")


@contextmanager
def demo_service(folder: Path, password: str) -> Iterator[str]:
    """A service on a free port with the demo's data and an account. Yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"DATA_DIR": str(folder), "PORT": str(port), "VENV": sys.prefix, "DJANGO_SUPERUSER_PASSWORD": password}
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    environment = kept | settings
    service = subprocess.Popen([PROJECT / "scripts/serve"], cwd=PROJECT, env=environment)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(service, url)
        for command in (
            ["seed_demo"],
            *(["seed_contacts", "--count", str(count), "--source", str(source)] for source, count in CONTACTS.items()),
            ["createsuperuser", "--noinput", "--username", USER, "--email", "demo@example.com"],
        ):
            subprocess.run([sys.executable, "manage.py", *command], cwd=PROJECT, env=environment, check=True)
        yield url
    finally:
        service.terminate()
        service.wait()


def wait_until_ready(service: subprocess.Popen[bytes], url: str) -> None:
    """Up to two minutes: migrations are applied, static files collected."""
    for _ in range(240):
        try:
            with urlopen(f"{url}/health/ready"):
                return
        except URLError:
            if service.poll() is not None:
                break
            time.sleep(0.5)
    sys.exit("The service did not start.")


def sign_in(page: Page, password: str) -> None:
    page.goto("/admin/login/")
    page.locator("input[name=username]").fill(USER)
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url("**/admin/")


def take_screenshot(page: Page, path: str, name: str) -> None:
    answer = page.goto(path, wait_until="networkidle")
    if answer is None or not answer.ok:
        sys.exit(f"{path} could not be opened.")
    file = IMAGES / name
    page.screenshot(path=file)
    if file.stat().st_size > MOST_BYTES:
        sys.exit(f"{name} has {file.stat().st_size} bytes; {MOST_BYTES} are allowed.")
    print(f"{file.relative_to(PROJECT)}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
