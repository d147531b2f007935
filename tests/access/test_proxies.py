"""Where no key is needed, what a proxy has passed on needs one: it may come from anywhere."""

import pytest
from rest_framework.test import APIClient

from tests.access import callers

WRITTEN_BY_PROXIES = [
    {"X-Forwarded-For": "203.0.113.9"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Host": "crm.example.com"},
    {"X-Forwarded-Port": "443"},
    {"X-Forwarded": "for=203.0.113.9"},
    {"Forwarded-For": "203.0.113.9"},
    {"X-Original-For": "203.0.113.9"},
    {"X-Client-IP": "203.0.113.9"},
    {"X-Cluster-Client-IP": "203.0.113.9"},
    {"X-Envoy-External-Address": "203.0.113.9"},
    {"X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678"},
    {"True-Client-IP": "203.0.113.9"},
    {"CF-Connecting-IP": "203.0.113.9"},
    {"CF-Ray": "230b030023ae2822-SJC"},
    {"CDN-Loop": "cloudflare"},
    {"X-Real-IP": "203.0.113.9"},
    {"Forwarded": "for=203.0.113.9"},
    {"Via": "1.1 proxy"},
]


@pytest.fixture(autouse=True)
def no_key_is_needed(settings, keys_are_required):
    settings.API_KEYS = "open"


@pytest.mark.django_db
@pytest.mark.parametrize("headers", WRITTEN_BY_PROXIES)
def test_what_came_through_a_proxy_needs_a_key(headers):
    answer = APIClient().get("/api/v1/operators", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert "came through a proxy" in answer.json()["detail"]
    assert callers.office().get("/api/v1/operators", headers=headers).status_code == 200


@pytest.mark.django_db
def test_what_speaks_http_1_0_needs_a_key_as_an_nginx_does_that_nobody_has_configured():
    answer = APIClient(SERVER_PROTOCOL="HTTP/1.0").get("/api/v1/operators")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert "HTTP/1.0" in answer.json()["detail"]
    assert callers.office().get("/api/v1/operators", SERVER_PROTOCOL="HTTP/1.0").status_code == 200


@pytest.mark.django_db
def test_who_has_named_the_proxy_knows_whom_it_lets_in(settings):
    """Such a start is refused unless API_KEYS_OPEN_ANYWHERE says that this is meant."""
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    assert APIClient().get("/api/v1/operators", headers=WRITTEN_BY_PROXIES[0]).status_code == 200
