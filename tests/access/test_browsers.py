"""Where no key is needed, no page of another site changes anything through the browser of somebody on this machine."""

import pytest
from rest_framework.test import APIClient

from tests import characters
from tests.access import callers

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},  # another port of this machine, or another name of the same owner
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
    {"Origin": "https://evil.example"},
    {"Origin": "http://testserver:3000"},
    {"Origin": "null"},
    {"Origin": "http://testserver@evil.example"},
    {"Origin": "nonsense"},
]
OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://testserver"},
]


@pytest.fixture(autouse=True)
def no_key_is_needed(settings, keys_are_required):
    settings.API_KEYS = "open"


def resolve(headers, client=None):
    """The simplest of attacks: a POST without a body, which a browser sends without asking first."""
    contact = characters.contact(characters.source(roster={characters.operator(): 10}))
    answer = (client or APIClient()).post(f"/api/v1/contacts/{contact.pk}/resolve", headers=headers)
    contact.refresh_from_db()
    assert contact.is_resolved == (answer.status_code == 200)
    return answer


@pytest.mark.django_db
@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_another_site_changes_nothing(headers):
    answer = resolve(headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


@pytest.mark.django_db
@pytest.mark.parametrize("headers", OWN)
def test_our_own_pages_and_programs_do(headers):
    assert resolve(headers).status_code == 200


@pytest.mark.django_db
def test_who_gives_a_key_is_no_browser_that_was_led_here():
    assert resolve(FOREIGN[0], callers.office()).status_code == 200


@pytest.mark.django_db
def test_reading_is_left_to_the_browsers_own_rule():
    """It keeps the answer from the other page, because nothing here says that it may read it."""
    answer = APIClient().get("/api/v1/contacts", headers=FOREIGN[0])
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.django_db
def test_a_key_that_is_given_counts_although_none_is_needed(telegram):
    assert APIClient().get("/api/v1/operators", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert callers.bot(telegram).get("/api/v1/operators").status_code == 403


@pytest.mark.django_db
def test_a_proxys_own_password_is_no_key():
    assert APIClient().get("/api/v1/operators", headers={"Authorization": "Basic YTpi"}).status_code == 200


def test_a_name_that_leads_here_from_elsewhere_is_refused():
    """Against DNS rebinding, by which a foreign page becomes one of the same origin."""
    answer = APIClient().post("/api/v1/contacts/1/resolve", headers={"Host": "evil.example"})
    assert answer.status_code == 400
