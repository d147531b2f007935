"""Who calls with which key, and what those without a valid one are told."""

import pytest
from rest_framework.test import APIClient

from access import keys
from routing.models import ContactEvent
from tests import characters
from tests.access import callers

pytestmark = pytest.mark.django_db

LISTING = "/api/v1/contacts"


def test_a_call_without_a_key_is_a_401_that_says_how(telegram):
    answer = APIClient().post(LISTING, callers.somebody_at(telegram))
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer nonsense", "Bearer crm_\xff", "Basic YTpi", "bearer  ", "x" * 9000]
)
def test_a_bad_key_is_a_401(header):
    answer = APIClient().get(LISTING, headers={"Authorization": header})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_a_revoked_key_is_a_401_at_the_very_next_call():
    new = callers.key()
    client = callers.with_key(new.secret)
    assert client.get(LISTING).status_code == 200
    keys.revoke_key(key_id=new.key.pk)
    assert client.get(LISTING).status_code == 401


def test_the_scheme_is_spelled_in_any_case():
    answer = APIClient().get(LISTING, headers={"Authorization": f"bEARER {callers.key().secret}"})
    assert answer.status_code == 200


def test_the_history_names_the_key_by_its_prefix(telegram):
    new = callers.key(telegram)
    callers.with_key(new.secret).post(LISTING, callers.somebody_at(telegram))
    assert ContactEvent.objects.get().by == f"key {new.key.prefix}"


@pytest.mark.parametrize("path", ["/", "/health", "/health/ready", "/docs", "/openapi.json"])
def test_these_pages_need_no_key(path):
    assert APIClient().get(path).status_code == 200


def test_a_key_costs_a_registration_one_statement(telegram, django_assert_num_queries):
    """Besides those of tests/api/test_contacts.py: the look at the key."""
    client = callers.bot(telegram)
    client.get(LISTING)  # the first call of a minute notes the use
    with django_assert_num_queries(6 if characters.ON_POSTGRESQL else 11):
        client.post("/api/v1/contacts", callers.somebody_at(telegram))
