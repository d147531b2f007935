"""OWASP API Security Top 10 (2023), API8: what browsers are told, and what nobody is told.

tests/service/test_https.py and test_behind_nginx.py ask the running service and nginx.
"""

import os
import runpy
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from crm_router import readiness
from routing.api.contacts import ContactViewSet
from routing.models import Contact
from tests.accounts import people
from tests.service.running import PROJECT

pytestmark = [pytest.mark.django_db, pytest.mark.once]

PAGES = ["/", "/docs", "/health", "/api/v1/contacts", "/nothing", "/admin/login/", "/admin/nothing", "/admin/"]
BEHIND_HTTPS = {"HTTPS": "true", "TRUSTED_PROXIES": "127.0.0.1"}
SCRIPTS = ["script-src-elem", "script-src-attr", "script-src", "default-src"]  # the first that is there decides


def settings_from(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What crm_router/settings.py makes of this environment and of nothing else."""
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in ({"SECRET_KEY": "x" * 50} | environment).items():  # without a key it would store a new one
        monkeypatch.setenv(name, value)
    made = runpy.run_path(str(PROJECT / "crm_router/settings.py"))
    return {name: value for name, value in made.items() if name.isupper()}


@pytest.fixture
def production(settings: Any) -> dict[str, Any]:
    """The service behind HTTPS, as its own settings make it."""
    with pytest.MonkeyPatch.context() as patch:
        plain, made = settings_from({}, patch), settings_from(BEHIND_HTTPS, patch)
    for name in made:
        if made[name] != plain[name]:
            setattr(settings, name, made[name])
    return made


def sources_of(policy: str, *directives: str) -> list[str]:
    """What the first of these directives that the policy has allows."""
    parts = {name: allowed for name, *allowed in map(str.split, filter(None, policy.split(";")))}
    return next((parts[name] for name in directives if name in parts), ["*"])


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("decisive", range(3))
def test_api8_no_page_runs_a_script_that_stands_in_it(client, path, decisive):
    allowed = sources_of(client.get(path)["Content-Security-Policy"], *SCRIPTS[decisive:])
    assert set(allowed) <= {"'self'", "'unsafe-eval'"}
    assert ("'unsafe-eval'" in allowed) == path.startswith("/admin")


@pytest.mark.parametrize("path", PAGES)
def test_api8_no_page_embeds_another_nor_is_embedded(client, path):
    policy = client.get(path)["Content-Security-Policy"]
    assert sources_of(policy, "object-src", "default-src") == ["'none'"]
    assert sources_of(policy, "frame-ancestors") == ["'none'"]
    assert sources_of(policy, "base-uri") == sources_of(policy, "form-action") == ["'self'"]


@pytest.mark.parametrize("path", PAGES)
def test_api8_every_page_behind_https_says_how_browsers_may_use_it(production, path):
    headers = Client().get(path, secure=True).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Strict-Transport-Security"] == f"max-age={production['HSTS_SECONDS']}"
    assert not [name for name in headers if name.startswith("Access-Control-")]


def test_api8_cookies_travel_encrypted_and_to_nobody_else(production):
    User.objects.create_superuser("vera", password=people.PASSWORD)
    client = Client()
    people.sign_in(client, secure=True)
    client.get("/admin/login/", secure=True)
    client.post("/i18n/setlang/", {"language": "ru"}, secure=True)
    session, form, language = (client.cookies[name] for name in ("sessionid", "csrftoken", "django_language"))
    assert all(cookie["secure"] for cookie in (session, form, language))
    assert session["httponly"]
    assert session["samesite"] == form["samesite"] == language["samesite"] == "Lax"


@pytest.mark.parametrize("name", ["GET", "POST"])
def test_api8_behind_https_a_key_that_came_without_is_refused(production, name):
    assert Client().generic(name, "/api/v1/contacts").status_code == 403


def test_api8_nothing_is_debugged_by_default(monkeypatch):
    made = settings_from({}, monkeypatch)
    assert made["DEBUG"] is False
    assert made["API_KEYS"] == "required"
    assert "*" not in made["ALLOWED_HOSTS"]


def fails(*_: Any, **__: Any) -> None:
    raise RuntimeError("secret internals")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """Somewhere in the API, in the back-office and outside of both."""
    settings.API_KEYS = "open"
    monkeypatch.setattr(ContactViewSet, "get_queryset", fails)
    monkeypatch.setattr(Contact.objects, "get_queryset", fails)
    monkeypatch.setattr(readiness, "find_obstacle", fails)


@pytest.mark.parametrize("path", ["/api/v1/contacts/1", "/admin/routing/contact/", "/health/ready"])
def test_api8_a_fault_of_ours_tells_nothing_of_how_it_came_about(broken, path):
    client = people.at_the_browser(User.objects.create_superuser("vera"))
    client.raise_request_exception = False
    answer = client.get(path)
    said = answer.content.decode()
    assert answer.status_code == 500
    assert not [word for word in ("Traceback", "secret", ".py", "RuntimeError", "Django/") if word in said]
    assert not {"Server", "X-Powered-By"} & set(answer.headers)
