"""Nothing that people wrote, and no key, reaches a log line or a metric, whatever a client does."""

import logging

import pytest
from django.db import IntegrityError, OperationalError
from prometheus_client import generate_latest

from access import keys
from crm_router.observability import logs, scrape
from leads.models import Identity, Lead
from routing.api.contacts import ContactViewSet
from tests import characters

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]

SECRETS = {
    "lead_phone": "+79995550123",
    "lead_email": "secret.person@example.com",
    "lead_external_id": "chat-5550123",
    "lead_name": "Secretnaya",
    "message": "my secret diagnosis",
}
WRONG_KEY = "crm_secret0123456789"
PIECES = ["5550123", "secret", "Secret", "diagnosis"]


def write_to(api, source, key):
    """Everything that bots do right and wrong with what people told them."""
    api.get("/api/v1/contacts", headers={"authorization": f"Bearer {WRONG_KEY}"})
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    contact = api.post("/api/v1/contacts", {"source_id": source.pk, **SECRETS}).json()
    lead = f"/api/v1/leads/{contact['lead_id']}"
    phone, email = SECRETS["lead_phone"], SECRETS["lead_email"]
    api.get("/api/v1/leads", {"phone": phone, "email": email})
    api.get(f"/api/v1/leads/{phone}")
    api.get(f"/{email}", {"phone": phone})
    api.get("/api/v1/contacts", {"lead_id": phone})
    api.generic("SECRET5550123", "/api/v1/contacts")
    api.get("/api/v1/operators", headers={"host": "secret.example.com", "x-request-id": email})
    api.patch(lead, {"name": SECRETS["lead_name"]})
    other = api.post("/api/v1/contacts", {"source_id": source.pk, "lead_phone": characters.somebody_new()}).json()
    api.patch(f"/api/v1/leads/{other['lead_id']}", {"phone": phone})
    api.post("/api/v1/contacts", {"source_id": source.pk, "lead_phone": "secret", "lead_email": "secret"})
    api.post("/api/v1/contacts", {"source_id": "secret", "message": ["secret"]})
    api.generic("POST", "/api/v1/contacts", f'{{"lead_phone": "{phone}"', content_type="application/json")
    api.get("/admin/", {"q": phone})
    api.get("/metrics", headers={"authorization": f"Bearer {key}"})


def test_nothing_of_it_is_logged_or_counted(api, log, settings):
    settings.METRICS_TOKEN = "0123456789abcdef"
    new = keys.make_key(name="office", source=None)
    write_to(api, characters.source(roster={characters.operator(): 10}), new.secret)
    told = log.getvalue() + generate_latest(scrape.build_registry()).decode()
    told = told.replace("/rotate-secret", "")  # a route that other tests have called
    assert log.getvalue().count('"event": "request"') >= 14
    assert [piece for piece in [*PIECES, new.secret.removeprefix(new.key.prefix)] if piece in told] == []
    assert f'"key": "{new.key.prefix}"' in told


def test_a_database_that_quotes_a_value_is_not_quoted(api, log, monkeypatch):
    def broken(self):
        Identity.objects.bulk_create(Identity(lead=Lead.objects.create(), kind="phone", value=phone) for _ in range(2))

    phone = SECRETS["lead_phone"]

    monkeypatch.setattr(ContactViewSet, "get_queryset", broken)
    api.raise_request_exception = False
    assert api.get("/api/v1/contacts/1").status_code == 500
    assert "IntegrityError" in log.getvalue()
    assert [piece for piece in PIECES if piece in log.getvalue()] == []


def test_only_errors_that_cannot_quote_people_are_quoted():
    assert logs.exception_line(IntegrityError("DETAIL: Key (value)=(+79995550123)")) == "django.db.utils.IntegrityError"
    assert logs.exception_line(ValueError("bad phone +79995550123")) == "ValueError"
    assert (
        logs.exception_line(OperationalError("no route\nCONTEXT: secret"))
        == "django.db.utils.OperationalError: no route"
    )


def test_they_are_told_where_they_are_wanted(api, lines, settings):
    settings.LOG_PERSONAL_DATA = True
    api.get("/api/v1/leads/404?phone=1")
    assert lines()[-1]["path"] == "/api/v1/leads/404?phone=1"
    assert logs.exception_line(ValueError("bad phone")) == "ValueError: bad phone"


@pytest.mark.parametrize("message", ["Invalid request from ip=192.0.2.7: secret", "Error handling request %s %s"])
def test_the_server_does_not_quote_its_clients(lines, message):
    server = logging.getLogger("gunicorn.error")
    server.propagate = True
    server.warning(message, *["secret"] * message.count("%s"))
    assert lines()[-1]["event"] in ("Invalid request", "Error handling request")
