"""A management key does everything, a source key what stands in the list, for its own source."""

import re
from urllib.parse import urlsplit

import pytest
from django.urls import URLPattern, get_resolver
from rest_framework.test import APIClient

from access.scopes import FOR_SOURCE_KEYS
from routing.models import Contact
from tests import characters
from tests.access import callers

pytestmark = pytest.mark.django_db

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
TELEGRAM = "telegram/updates"  # has a secret of its own: tests/notifications/messenger/test_telegram_webhook.py
NO_KEY = {"", "metrics", "health", "health/ready", "openapi.json", "docs", TELEGRAM}
SIGN_IN = ("admin", "i18n/")  # the back-office has a door of its own: tests/admin


def routes(patterns=None, before=""):
    """Every route of the service."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        yield from [route] if isinstance(pattern, URLPattern) else routes(pattern.url_patterns, route)


API = sorted({route for route in routes() if route not in NO_KEY and not route.startswith(SIGN_IN)})


def path(route):
    return "/" + re.sub(r"<id:\w+>", "404", route)


def test_all_routes_that_require_keys_are_the_api():
    assert {"api/v1/contacts", "api/v1/operators/<id:pk>", "api/v1/queue"} <= set(API)
    assert all(route.startswith("api/v1/") for route in API)


@pytest.mark.parametrize("route", API)
def test_nothing_is_done_without_a_key(route):
    for method in METHODS:
        answer = APIClient().generic(method, path(route))
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer"), method


@pytest.mark.parametrize("route", API)
def test_a_source_key_does_what_the_list_allows_and_nothing_else(telegram, route):
    bot = callers.bot(telegram)
    for method in METHODS:
        allowed = method in FOR_SOURCE_KEYS.get(route, ())
        status = bot.generic(method, path(route), "{}", "application/json").status_code
        assert (status not in (401, 403)) if allowed else (status == 403), method


@pytest.mark.parametrize("route", API)
def test_a_management_key_is_never_turned_away(route):
    office = callers.office()
    for method in METHODS:
        assert office.generic(method, path(route), "{}", "application/json").status_code not in (401, 403), method


def test_a_source_key_registers_contacts_for_its_source(telegram):
    answer = callers.bot(telegram).post("/api/v1/contacts", callers.somebody_at(telegram))
    assert answer.status_code == 201


@pytest.mark.parametrize("spelled", [int, str, float])
def test_a_source_key_registers_nothing_for_another_source(telegram, whatsapp, spelled):
    body = callers.somebody_at(whatsapp) | {"source_id": spelled(whatsapp.pk)}
    answer = callers.bot(telegram).post("/api/v1/contacts", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert answer.json()["detail"] == "This key is for another source."
    assert not Contact.objects.exists()


def test_a_source_key_sends_batches_for_its_source_only(telegram, whatsapp):
    mine, other = callers.somebody_at(telegram), callers.somebody_at(whatsapp)
    bot = callers.bot(telegram)
    assert bot.post("/api/v1/contacts/batch", {"contacts": [mine, other]}).status_code == 403
    assert not Contact.objects.exists()
    assert bot.post("/api/v1/contacts/batch", {"contacts": [mine]}).json()["results"][0]["status"] == 201


@pytest.mark.parametrize("nonsense", [{}, {"source_id": None}, [], None, "text"])
def test_a_body_that_names_no_source_is_a_400_as_ever(telegram, nonsense):
    assert callers.bot(telegram).post("/api/v1/contacts", nonsense).status_code == 400


@pytest.mark.parametrize("nonsense", ["x", [], {}, True, 10**30, 1.5])
def test_nonsense_in_the_place_of_the_source_is_refused(telegram, nonsense):
    body = callers.somebody_at(telegram) | {"source_id": nonsense}
    assert callers.bot(telegram).post("/api/v1/contacts", body).status_code in (400, 403)
    assert not Contact.objects.exists()


def test_deep_nesting_does_not_confuse_the_look_at_the_source(telegram):
    body = '{"source_id": ' + "[" * 900 + "]" * 900 + "}"
    answer = callers.bot(telegram).generic("POST", "/api/v1/contacts", body, "application/json")
    assert answer.status_code in (400, 403)


def test_a_source_key_lists_its_own_contacts_only(telegram, whatsapp):
    mine, other = characters.contact(telegram), characters.contact(whatsapp)
    client = callers.bot(telegram)
    assert [row["id"] for row in client.get("/api/v1/contacts").json()["results"]] == [mine.pk]
    assert client.get("/api/v1/contacts", {"source_id": other.source_id}).json()["results"] == []


def test_the_pages_of_a_list_stay_within_the_source(telegram, whatsapp):
    mine = [characters.contact(source).pk for source in [telegram, whatsapp] * 3][::2]
    client, seen, link = callers.bot(telegram), [], "/api/v1/contacts?page_size=1"
    while link:
        page = client.get(link).json()
        seen += [row["id"] for row in page["results"]]
        link = page["next"] and f"/api/v1/contacts?{urlsplit(page['next']).query}"
    assert seen == mine[::-1]


@pytest.mark.parametrize("what", ["", "/decision", "/history"])
def test_a_source_key_reads_its_own_contacts_and_does_not_see_others(telegram, whatsapp, what):
    mine, other = characters.contact(telegram), characters.contact(whatsapp)
    client = callers.bot(telegram)
    assert client.get(f"/api/v1/contacts/{mine.pk}{what}").status_code == 200
    assert client.get(f"/api/v1/contacts/{other.pk}{what}").status_code == 404


def test_what_a_source_key_cannot_see_looks_like_what_is_not_there(telegram, whatsapp):
    other = characters.contact(whatsapp)
    client = callers.bot(telegram)
    there, not_there = (client.get(f"/api/v1/contacts/{pk}").json() for pk in (other.pk, 10**6))
    assert there.pop("detail") == f"Contact {other.pk} does not exist."
    assert not_there.pop("detail") == "Contact 1000000 does not exist."
    assert there == not_there


def test_the_trailing_slash_opens_no_other_door(telegram):
    client = callers.bot(telegram)
    assert client.post("/api/v1/contacts/", callers.somebody_at(telegram)).status_code == 201
    assert client.get("/api/v1/operators/").status_code == 403
    assert APIClient().get("/api/v1/operators/").status_code == 401


def test_a_source_key_finds_its_contacts_only_by_what_came_through_its_source():
    bot, site = characters.source(), characters.source()
    phone = {"lead_phone": "+79990000001"}
    here = characters.contact(bot, message="Доставка", **phone)
    characters.contact(site, lead_email="anna@example.com", lead_name="Анна", message="Оплата", **phone)

    def found(caller, term):
        return [row["id"] for row in caller.get("/api/v1/contacts", {"search": term}).json()["results"]]

    assert found(callers.bot(bot), "9990000001") == found(callers.bot(bot), "доставка") == [here.pk]
    assert all(found(callers.bot(bot), term) == [] for term in ("anna@", "Анна", "оплата"))
    assert here.pk in found(callers.office(), "anna@")
