"""The OWASP API Security Top 10 (2023), from outside. Details: tests/access.

Most of API4 and API6 stands in test_owasp_consumption.py, most of API8 in test_owasp_configuration.py. API7
(server-side request forgery) and API10 (unsafe consumption of APIs) do not apply: the service asks nobody, and no field
of its API is an address that it would go to. So the test for both is that it could not.
"""

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from access import keys
from routing.models import Contact
from tests import characters
from tests.access import callers
from tests.access.test_scopes import API
from tests.service.running import PROJECT

pytestmark = pytest.mark.django_db

PACKAGES = ["access", "accounts", "core", "crm_router", "leads", "notifications", "operators", "routing"]
CLIENTS = {
    *(
        "aiohttp",
        "ftplib",
        "http.client",
        "httpx",
        "pycurl",
        "requests",
        "smtplib",
        "socket",
        "subprocess",
        "telnetlib",
    ),
    *("urllib.request", "urllib3", "xmlrpc", "asyncio", "django.core.mail"),
    *("sentry_sdk", "opentelemetry"),
}
WHY_NOT = {
    "core/db/postgresql/commit_watch.py": "closes connections to the database, and opens none",
    "crm_router/server/address.py": "finds out which addresses a name of our own listens on",
    "crm_router/observability/sentry.py": "tells of faults at an address from the settings, and reads no answer",
    "crm_router/observability/tracing.py": "tells of requests, likewise",
    "crm_router/server/foresight.py": "starts `manage.py what_if --work`, and passes nothing on to it",
    "notifications/webhooks/sending.py": "calls addresses that administrators name, and refuses private networks",
    "notifications/messenger/telegram.py": "calls the Bot API at an address from the settings",
    "notifications/messenger/mail.py": "names errors of the mail server, whose address is a setting",
    "accounts/letters.py": "likewise",
}


def test_api1_broken_object_level_authorization(telegram, whatsapp):
    """No id of somebody else's contact opens it, in whatever way it is given."""
    other = characters.contact(whatsapp)
    client = callers.bot(telegram)
    for path in (f"/{other.pk}", f"/{other.pk}/decision", f"/{other.pk}/history"):
        assert client.get(f"/api/v1/contacts{path}").status_code == 404
    for query in (f"source_id={whatsapp.pk}", f"lead_id={other.lead_id}", f"operator_id={other.operator_id}"):
        assert client.get(f"/api/v1/contacts?{query}").json()["results"] == []
    assert client.post("/api/v1/contacts", callers.somebody_at(whatsapp)).status_code == 403


def test_api2_broken_authentication(telegram):
    """A key is nothing but itself, in its header, while it is live."""
    new, body = callers.key(telegram), callers.somebody_at(telegram)
    elsewhere: list[dict[str, Any]] = [
        {"QUERY_STRING": f"key={new.secret}&access_token={new.secret}"},
        {"HTTP_COOKIE": f"Authorization=Bearer {new.secret}"},
        {"HTTP_X_API_KEY": new.secret},
        {"HTTP_AUTHORIZATION": f"Bearer {new.key.prefix}"},
        {"HTTP_AUTHORIZATION": f"Bearer {new.key.digest}"},
        {"HTTP_AUTHORIZATION": f"Basic {new.secret}"},
        {"HTTP_AUTHORIZATION": f"Bearer {new.secret} {new.secret}"},
        {"HTTP_AUTHORIZATION": f"Bearer {new.secret}, Bearer {new.secret}"},
    ]
    for extra in elsewhere:
        assert APIClient().post("/api/v1/contacts", body, **extra).status_code == 401
    keys.revoke_key(key_id=new.key.pk)
    assert callers.with_key(new.secret).post("/api/v1/contacts", body).status_code == 401
    expired = callers.bot(telegram, expires_at=timezone.now() - timedelta(seconds=1))
    assert expired.post("/api/v1/contacts", body).status_code == 401


def test_api2_nobody_is_let_in_by_the_back_offices_session(client, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("vera"))
    assert client.get("/api/v1/contacts").status_code == 401


def test_api3_broken_object_property_level_authorization(telegram):
    """What a bot may not decide is not decided by writing it into the body."""
    anna = characters.operator("Anna")
    body = callers.somebody_at(telegram) | {"operator_id": anna.pk, "is_resolved": True, "id": 7, "lead_id": 7}
    answer = callers.bot(telegram).post("/api/v1/contacts", body).json()
    assert answer["operator_id"] != anna.pk
    assert not answer["is_resolved"]
    assert callers.bot(telegram).patch(f"/api/v1/contacts/{answer['id']}", {"is_resolved": True}).status_code == 403


def test_api4_unrestricted_resource_consumption(settings, telegram):
    settings.THROTTLE_PER_MINUTE = 3
    client = callers.bot(telegram)
    answers = [client.post("/api/v1/contacts", callers.somebody_at(telegram)) for _ in range(7)]  # over two minutes
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert all(1 <= int(answer["Retry-After"]) <= 120 for answer in refused)  # this minute still counts in the next
    assert Contact.objects.count() == 7 - len(refused)


def test_api5_broken_function_level_authorization(telegram):
    """tests/access/test_scopes.py tries every method of every route."""
    contact = characters.contact(telegram)
    client = callers.bot(telegram)
    for method, path in [
        ("POST", f"contacts/{contact.pk}/resolve"),
        ("POST", f"contacts/{contact.pk}/reassign"),
        ("PATCH", f"contacts/{contact.pk}"),
        ("GET", f"leads/{contact.lead_id}"),
        ("GET", "operators"),
        ("DELETE", f"sources/{telegram.pk}"),
        ("PUT", f"sources/{telegram.pk}/operators"),
        ("GET", "stats/distribution"),
    ]:
        assert client.generic(method, f"/api/v1/{path}", "{}", "application/json").status_code == 403, path
    headers = {"X-HTTP-Method-Override": "DELETE"}
    assert client.get(f"/api/v1/contacts/{contact.pk}", headers=headers).status_code == 200
    assert Contact.objects.filter(pk=contact.pk, operator=contact.operator).exists()


def imported(source: str) -> Iterator[str]:
    """Each module that the source imports, wherever it does; of `from a import b` both a and a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def asks_others(source: str) -> bool:
    return any(f"{name}.".startswith(tuple(f"{client}." for client in CLIENTS)) for name in imported(source))


def test_api7_server_side_request_forgery_and_api10_unsafe_consumption_of_apis():
    """Nobody here could ask another server for anything, but where it says why."""
    files = [file for package in PACKAGES for file in (PROJECT / package).rglob("*.py")]
    asking = {str(file.relative_to(PROJECT)) for file in files if asks_others(file.read_text())}
    assert asking == set(WHY_NOT)


@pytest.mark.parametrize(
    "source",
    [
        "import requests",
        "def ask():\n    from urllib import request",
        "import http.client as door",
        "import os, socket",
    ],
)
def test_api7_whoever_could_ask_others_is_noticed(source):
    assert asks_others(source)


def test_api7_no_field_takes_an_address_but_that_of_a_webhook_and_a_channel(client):
    """Both are sent to by notifications/webhooks/sending.py, whose tests show that private networks are refused."""
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    asked = {name: schema for name, schema in schemas.items() if name.endswith("Request")}
    fields = [(name, field) for name, schema in asked.items() for field in schema.get("properties", {})]
    assert ("NewWebhookRequest", "source_id") in fields
    addresses = {line for line in fields if re.search("ur[il]|link|host|address|callback|webhook", line[1])}
    assert addresses == {
        ("ChannelRequest", "address"),
        ("NewWebhookRequest", "url"),
        ("PatchedWebhookRequest", "url"),
    }


def test_api8_security_misconfiguration(client):
    """Even refusals come with the headers that keep browsers from misusing them, and with no detail of ours."""
    answer = client.get("/api/v1/contacts")
    assert answer.status_code == 401
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert not [name for name in answer.headers if name.startswith("Access-Control-")]
    assert "Traceback" not in answer.content.decode()


def test_api9_improper_inventory_management(client):
    """Whatever answers below the API is in its documentation, and there is one version of it."""
    documented = set(client.get("/openapi.json").json()["paths"])
    answering = {"/" + re.sub(r"<id:(\w+)>", name_in_schema, route) for route in API}
    assert answering | {"/", "/health", "/health/ready"} == documented


def name_in_schema(parameter):
    return "{id}" if parameter[1] == "pk" else f"{{{parameter[1]}}}"
