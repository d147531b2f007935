"""How many statements each call costs, exactly. A new call that has no line here fails."""

import re

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from tests import characters
from tests.api.conftest import filled_in
from tests.api.endpoints import endpoints

NEW = "+79995550101"


def on(*, postgresql: int, sqlite: int) -> int:
    """PostgreSQL stores in one statement what SQLite stores in several."""
    return postgresql if characters.ON_POSTGRESQL else sqlite


REGISTRATION = on(postgresql=5, sqlite=10)  # see tests/api/test_contacts.py
NOTHING: dict[str, str] = {}
CALLS = {  # operation: statements, the call, what it sends; names in both stand for numbers of the cast
    "contacts_list": (1, "get /contacts", NOTHING),
    "contacts_create": (REGISTRATION, "post /contacts", {"source_id": "bot", "lead_phone": NEW}),
    "contacts_batch": (14, "post /contacts/batch", {"contacts": [{"source_id": "bot", "lead_phone": NEW}]}),
    "contacts_retrieve": (1, "get /contacts/{contact}", NOTHING),
    "contacts_partial_update": (11, "patch /contacts/{contact}", {"message": "Hello"}),
    "contacts_decision_retrieve": (3, "get /contacts/{contact}/decision", NOTHING),
    "contacts_history_list": (2, "get /contacts/{contact}/history", NOTHING),
    "contacts_resolve_create": (on(postgresql=6, sqlite=8), "post /contacts/{contact}/resolve", NOTHING),
    "contacts_reopen_create": (on(postgresql=6, sqlite=8), "post /contacts/{resolved}/reopen", NOTHING),
    "contacts_reassign_create": (on(postgresql=8, sqlite=11), "post /contacts/{contact}/reassign", NOTHING),
    "leads_list": (2, "get /leads", NOTHING),
    "leads_retrieve": (3, "get /leads/{lead}", NOTHING),
    "leads_partial_update": (18, "patch /leads/{lead}", {"phone": NEW}),
    "leads_contacts_list": (2, "get /leads/{lead}/contacts", NOTHING),
    "leads_export_retrieve": (10, "get /leads/{lead}/export", NOTHING),
    "leads_erase_create": (21, "post /leads/{lead}/erase", NOTHING),
    "leads_merge_create": (21, "post /leads/{lead}/merge", {"lead_id": "twin"}),
    "leads_unmerge_create": (18, "post /leads/{survivor}/unmerge", NOTHING),
    "leads_duplicates_list": (3, "get /leads/duplicates", NOTHING),
    "leads_duplicates_dismiss_create": (2, "post /leads/duplicates/{pair}/dismiss", NOTHING),
    "operators_list": (1, "get /operators", NOTHING),
    "operators_create": (3, "post /operators", {"name": "Vera", "max_load": 5}),
    "operators_retrieve": (1, "get /operators/{anna}", NOTHING),
    "operators_partial_update": (8, "patch /operators/{anna}", {"is_active": False}),
    "operators_destroy": (16, "delete /operators/{anna}", NOTHING),
    "operators_handover_create": (15, "post /operators/{anna}/handover", NOTHING),
    "sources_list": (1, "get /sources", NOTHING),
    "sources_create": (5, "post /sources", {"name": "Site"}),
    "sources_retrieve": (1, "get /sources/{bot}", NOTHING),
    "sources_partial_update": (7, "patch /sources/{bot}", {"name": "Site"}),
    "sources_destroy": (5, "delete /sources/{bot}", NOTHING),
    "roster_list": (2, "get /sources/{bot}/operators", NOTHING),
    "roster_set": (10, "post /sources/{bot}/operators", {"operator_id": "anna", "weight": 5}),
    "roster_replace": (10, "put /sources/{bot}/operators", [{"operator_id": "anna", "weight": 5}]),
    "roster_remove": (6, "delete /sources/{bot}/operators/{anna}", NOTHING),
    "queue_list": (1, "get /queue", NOTHING),
    "distribution": (14, "get /stats/distribution", NOTHING),
}


def test_every_call_has_a_line_here(api):
    paths = api.get("/openapi.json").json()["paths"]
    assert sorted(operation["operationId"] for found in paths.values() for operation in found.values()) == sorted(CALLS)


def test_every_method_of_every_route_has_a_line_here():
    calls = [re.sub(r"{\w+}", "1", call).split() for _, call, _ in CALLS.values()]
    assert sorted((method, resolve(f"/api/v1{path}").route) for method, path in calls) == endpoints()


@pytest.mark.parametrize(("number", "call", "body"), CALLS.values(), ids=CALLS)
def test_a_call_costs_so_many_statements(api, cast, number, call, body):
    method, path = call.format(**cast).split()
    ContentType.objects.clear_cache()  # as in a process that has just started
    with CaptureQueriesContext(connection) as seen:
        answer = getattr(api, method)(f"/api/v1{path}", filled_in(body, cast))
    assert answer.status_code < 300, answer.content
    assert len(seen) == number, "\n".join(query["sql"] for query in seen)
