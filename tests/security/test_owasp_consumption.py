"""OWASP API Security Top 10 (2023), what may be taken: API4 of the machine, API6 of the people behind it.

The sensitive business flow is the registration: each takes a place of an operator, whose day has no more of them.
"""

import io
from base64 import b64encode
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.api.pagination import CursorPages
from crm_router.wsgi import application
from leads.api.batch import MOST
from leads.models import Lead
from leads.validation import LONGEST
from routing.models import Contact
from tests import characters
from tests.access import callers

pytestmark = pytest.mark.django_db

CONTACTS, BATCH = "/api/v1/contacts", "/api/v1/contacts/batch"
DEEP = settings.MAX_JSON_DEPTH + 1
NONSENSE = ["p=" + "9" * 100, "p=-1", "o=-1", "p=1&o=x"]


@pytest.mark.parametrize(("path", "limit"), [(CONTACTS, settings.MAX_BODY_BYTES), (BATCH, settings.MAX_BATCH_BYTES)])
@pytest.mark.parametrize("announced", [True, False])
def test_api4_a_body_beyond_its_bound_is_a_413_before_anybody_reads_it(path, limit, announced):
    said: list[str] = []
    request = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "CONTENT_TYPE": "application/json",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "wsgi.input": io.BytesIO(b" " * (limit + 1)),
    }
    length = {"CONTENT_LENGTH": str(limit + 1)} if announced else {"HTTP_TRANSFER_ENCODING": "chunked"}
    application(request | length, lambda status, headers: said.append(status))
    assert said == ["413 Content Too Large"]


def test_api4_nesting_is_bounded(telegram):
    body = f'{{"source_id": {telegram.pk}, "message": {"[" * DEEP}{"]" * DEEP}}}'
    answer = callers.bot(telegram).generic("POST", CONTACTS, body, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_api4_a_batch_of_501_registers_nobody(telegram):
    batch = {"contacts": [callers.somebody_at(telegram)] * (MOST + 1)}
    answer = callers.bot(telegram).post(BATCH, batch)
    assert (MOST, answer.status_code, Contact.objects.count()) == (500, 400, 0)


@pytest.mark.parametrize("path", ["contacts", "leads", "leads/duplicates"])
def test_api4_no_page_is_longer_than_200(telegram, path):
    with CaptureQueriesContext(connection) as seen:
        answer = callers.office().get(f"/api/v1/{path}?page_size={10**9}")
    assert answer.status_code == 200
    assert CursorPages.max_page_size == 200
    assert f"LIMIT {200 + 1}" in "\n".join(query["sql"] for query in seen)


@pytest.mark.parametrize("field", sorted(LONGEST))
def test_api4_no_text_is_longer_than_its_bound(telegram, field):
    contact = callers.somebody_at(telegram) | {"lead_phone": None, field: "1" * (LONGEST[field] + 1)}
    [result] = callers.bot(telegram).post(BATCH, {"contacts": [contact]}).json()["results"]
    assert result["status"] == 400
    assert field in [error["field"] for error in result["error"]["errors"]]
    assert not Lead.objects.exists()


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_api4_a_cursor_leads_nowhere_that_costs_more_than_a_page(telegram, nonsense):
    characters.contact(telegram)
    with CaptureQueriesContext(connection) as seen:
        answer = callers.office().get(CONTACTS, {"cursor": b64encode(nonsense.encode()).decode()})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "cursor")
    assert "routing_contact" not in "\n".join(query["sql"] for query in seen)


def test_api4_a_cursor_skips_no_more_than_a_thousand(telegram):
    cursor = b64encode(urlencode({"o": 7_000_000}).encode()).decode()
    with CaptureQueriesContext(connection) as seen:
        callers.office().get(CONTACTS, {"cursor": cursor})
    assert "OFFSET 1000" in seen[-1]["sql"]


@pytest.fixture
def ten_a_minute(settings, time_machine):
    settings.THROTTLE_PER_MINUTE = 10
    time_machine.move_to("2026-11-23 12:00:15Z", tick=False)


def test_api6_a_flood_of_registrations_ends_in_429(ten_a_minute, telegram):
    client = callers.bot(telegram)
    statuses = [client.post(CONTACTS, callers.somebody_at(telegram)).status_code for _ in range(30)]
    assert statuses == [201] * 10 + [429] * 20
    assert Contact.objects.count() == 10


def test_api6_a_batch_is_no_way_around_it(ten_a_minute, telegram):
    client = callers.bot(telegram)
    batches = [{"contacts": [callers.somebody_at(telegram) for _ in range(size)]} for size in (6, 5, 4, 1)]
    assert [client.post(BATCH, batch).status_code for batch in batches] == [200, 429, 200, 429]
    assert Contact.objects.count() == 10


def test_api6_a_flood_of_one_source_leaves_the_others_their_own(ten_a_minute, telegram, whatsapp):
    loud, quiet = callers.bot(telegram), callers.bot(whatsapp)
    for _ in range(11):
        loud.post(CONTACTS, callers.somebody_at(telegram))
    assert quiet.post(CONTACTS, callers.somebody_at(whatsapp)).status_code == 201


def test_api6_a_replay_makes_nothing_new(telegram):
    client, body = callers.bot(telegram), callers.somebody_at(telegram)
    answers = [client.post(CONTACTS, body, headers={"Idempotency-Key": "k1"}).json() for _ in range(5)]
    batch = client.post(BATCH, {"contacts": [body | {"idempotency_key": "k1"}] * 5}).json()["results"]
    assert {answer["id"] for answer in answers + [result["contact"] for result in batch]} == {answers[0]["id"]}
    assert (Contact.objects.count(), characters.load(telegram.roster.get().operator)) == (1, 1)


def test_api6_a_replay_is_no_way_to_another_sources_contact(telegram, whatsapp):
    body, key = callers.somebody_at(telegram), {"Idempotency-Key": "k1"}
    first = callers.bot(telegram).post(CONTACTS, body, headers=key).json()
    assert callers.bot(whatsapp).post(CONTACTS, body, headers=key).status_code == 403
    own = callers.bot(whatsapp).post(CONTACTS, body | {"source_id": whatsapp.pk}, headers=key).json()
    assert own["id"] != first["id"]


def test_api6_a_key_of_one_source_registers_nobody_at_another(telegram, whatsapp):
    client = callers.bot(telegram)
    mine, other = callers.somebody_at(telegram), callers.somebody_at(whatsapp)
    assert client.post(CONTACTS, other).status_code == 403
    assert client.post(BATCH, {"contacts": [mine, other]}).status_code == 403
    assert not Contact.objects.exists()


def test_api6_no_flood_fills_anybody_beyond_the_limit(telegram):
    """One after the other; tests/concurrency has them all at once."""
    anna = characters.operator("Anna", limit=3)
    bot = characters.source(roster={anna: 10})
    client = callers.bot(bot)
    for _ in range(5):
        client.post(CONTACTS, callers.somebody_at(bot))
    client.post(BATCH, {"contacts": [callers.somebody_at(bot) for _ in range(5)]})
    assert characters.load(anna) == 3
    assert (Contact.objects.open().filter(operator=anna).count(), Contact.objects.waiting().count()) == (3, 7)
