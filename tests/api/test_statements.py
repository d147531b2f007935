"""How many statements each call costs, exactly. A new call that has no line here fails."""

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from tests import characters, transactions
from tests.api.conftest import filled_in
from tests.api.endpoints import endpoints

NEW = "+79995550101"


def on(*, postgresql: int, sqlite: int) -> int:
    """PostgreSQL stores in one statement what SQLite stores in several."""
    return postgresql if characters.ON_POSTGRESQL else sqlite


REGISTRATION = on(postgresql=5, sqlite=10)  # see tests/api/test_contacts.py
NOTHING: dict[str, str] = {}
ALWAYS = [{"weekday": day, "from": "00:00", "to": "24:00"} for day in range(1, 8)]
LAST_DAY = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "changes": {"strategy": "smooth"}}
BROKEN_DAYS = "from=2026-01-30T05:00:00Z&to=2026-02-02T07:00:00Z"  # hours, whole days, hours
LEAVE = {"from": "2090-01-01T00:00:00Z", "to": "2090-01-15T00:00:00Z"}
CALLS = {  # operation: statements, the call, what it sends; names in both stand for numbers of the cast
    "contacts_list": (1, "get /contacts", NOTHING),
    "contacts_create": (REGISTRATION, "post /contacts", {"source_id": "bot", "lead_phone": NEW}),
    "contacts_batch": (14, "post /contacts/batch", {"contacts": [{"source_id": "bot", "lead_phone": NEW}]}),
    "contacts_retrieve": (1, "get /contacts/{contact}", NOTHING),
    "contacts_partial_update": (12, "patch /contacts/{contact}", {"message": "Hello"}),
    "contacts_decision_retrieve": (3, "get /contacts/{contact}/decision", NOTHING),
    "contacts_history_list": (2, "get /contacts/{contact}/history", NOTHING),
    "contacts_accept_create": (on(postgresql=5, sqlite=6), "post /contacts/{contact}/accept", NOTHING),
    "contacts_decline_create": (
        on(postgresql=11, sqlite=16),
        "post /contacts/{contact}/decline",
        {"reason": "On lunch"},
    ),
    "contacts_touch_create": (on(postgresql=5, sqlite=7), "post /contacts/{contact}/touch", NOTHING),
    "contacts_resolve_create": (on(postgresql=6, sqlite=8), "post /contacts/{contact}/resolve", NOTHING),
    "contacts_reopen_create": (on(postgresql=7, sqlite=9), "post /contacts/{resolved}/reopen", NOTHING),
    "contacts_reassign_create": (on(postgresql=8, sqlite=13), "post /contacts/{contact}/reassign", NOTHING),
    "leads_list": (2, "get /leads", NOTHING),
    "leads_retrieve": (3, "get /leads/{lead}", NOTHING),
    "leads_partial_update": (25, "patch /leads/{lead}", {"phone": NEW}),
    "leads_identities_list": (2, "get /leads/{lead}/identities", NOTHING),
    "leads_identities_partial_update": (10, "patch /leads/{lead}/identities/{identity}", {"is_shared": True}),
    "leads_identities_destroy": (16, "delete /leads/{survivor}/identities/{spare}", NOTHING),
    "leads_contacts_list": (3, "get /leads/{lead}/contacts", NOTHING),
    "leads_export_retrieve": (12, "get /leads/{lead}/export", NOTHING),
    "leads_erase_create": (on(postgresql=37, sqlite=39), "post /leads/{lead}/erase", NOTHING),
    "leads_merge_create": (28, "post /leads/{lead}/merge", {"lead_id": "twin"}),
    "leads_unmerge_create": (24, "post /leads/{survivor}/unmerge", NOTHING),
    "leads_duplicates_list": (3, "get /leads/duplicates", NOTHING),
    "leads_duplicates_dismiss_create": (6, "post /leads/duplicates/{pair}/dismiss", NOTHING),
    "operators_list": (1, "get /operators", NOTHING),
    "operators_create": (4, "post /operators", {"name": "Vera", "max_load": 5}),
    "operators_retrieve": (1, "get /operators/{anna}", NOTHING),
    "operators_partial_update": (10, "patch /operators/{anna}", {"is_active": False}),
    "operators_destroy": (17, "delete /operators/{anna}", NOTHING),
    "operators_restore_create": (3, "post /operators/{anna}/restore", NOTHING),
    "operators_handover_create": (18, "post /operators/{anna}/handover", NOTHING),
    "source_schedule_retrieve": (2, "get /sources/{bot}/schedule", NOTHING),
    "source_schedule_replace": (10, "put /sources/{bot}/schedule", {"time_zone": "UTC", "weekly": ALWAYS}),
    "operator_schedule_retrieve": (2, "get /operators/{anna}/schedule", NOTHING),
    "operator_schedule_replace": (13, "put /operators/{anna}/schedule", {"time_zone": "UTC", "weekly": ALWAYS}),
    "absences_list": (2, "get /operators/{anna}/absences", NOTHING),
    "absences_create": (10, "post /operators/{anna}/absences", LEAVE),
    "absences_destroy": (9, "delete /operators/{anna}/absences/{absence}", NOTHING),
    "operator_pause": (12, "post /operators/{anna}/pause", {"minutes": 30}),
    "operator_resume": (6, "post /operators/{anna}/resume", NOTHING),
    "availability_list": (3, "get /operators/{anna}/availability", NOTHING),
    "channels_list": (2, "get /operators/{anna}/channels", NOTHING),
    "channels_replace": (
        6,
        "put /operators/{anna}/channels",
        [{"kind": "email", "address": "anna@example.com"}],
    ),
    "telegram_link_create": (13, "post /operators/{anna}/telegram-link", NOTHING),
    "notifications_list": (2, "get /operators/{anna}/notifications", NOTHING),
    "sources_list": (1, "get /sources", NOTHING),
    "sources_create": (6, "post /sources", {"name": "Site"}),
    "sources_retrieve": (1, "get /sources/{bot}", NOTHING),
    "sources_partial_update": (8, "patch /sources/{bot}", {"name": "Site"}),
    "sources_destroy": (9, "delete /sources/{bot}", NOTHING),
    "sources_restore_create": (3, "post /sources/{bot}/restore", NOTHING),
    "roster_list": (2, "get /sources/{bot}/operators", NOTHING),
    "roster_set": (11, "post /sources/{bot}/operators", {"operator_id": "anna", "weight": 5}),
    "roster_replace": (13, "put /sources/{bot}/operators", [{"operator_id": "anna", "weight": 5}]),
    "roster_remove": (10, "delete /sources/{bot}/operators/{anna}", NOTHING),
    "changes_list": (1, "get /changes", NOTHING),
    "changes_retrieve": (1, "get /changes/{change}", NOTHING),
    "changes_revert_create": (12, "post /changes/{change}/revert", NOTHING),
    "events_list": (on(postgresql=6, sqlite=4), "get /events", NOTHING),
    "webhooks_list": (1, "get /webhooks", NOTHING),
    "webhooks_create": (7, "post /webhooks", {"url": "https://bot.example.com/"}),
    "webhooks_retrieve": (1, "get /webhooks/{webhook}", NOTHING),
    "webhooks_partial_update": (6, "patch /webhooks/{webhook}", {"with_message": True}),
    "webhooks_destroy": (8, "delete /webhooks/{webhook}", NOTHING),
    "webhooks_replay_create": (6, "post /webhooks/{webhook}/replay", {"after": "0"}),
    "webhooks_rotate_secret_create": (5, "post /webhooks/{webhook}/rotate-secret", NOTHING),
    "webhooks_test_create": (1, "post /webhooks/{webhook}/test", NOTHING),
    "webhooks_deliveries": (2, "get /webhooks/{webhook}/deliveries", NOTHING),
    "queue_list": (1, "get /queue", NOTHING),
    "distribution": (17, "get /stats/distribution", NOTHING),
    "report": (13, f"get /stats/report?{BROKEN_DAYS}", NOTHING),
    "what_if_ask": (5, "post /what-if", {"source_id": "bot", **LAST_DAY}),
    "what_if_read": (1, "get /what-if/{what_if}", NOTHING),
}


def test_every_call_has_a_line_here(api):
    paths = api.get("/openapi.json").json()["paths"]
    calls = [found for path, found in paths.items() if path.startswith("/api/")]
    assert sorted(operation["operationId"] for found in calls for operation in found.values()) == sorted(CALLS)


def test_every_method_of_every_route_has_a_line_here():
    calls = [re.sub(r"{\w+}", "1", call).split() for _, call, _ in CALLS.values()]
    assert sorted((method, resolve(urlsplit(f"/api/v1{path}").path).route) for method, path in calls) == endpoints()


ALSO = {  # likewise, but for the statements
    "both fields of a contact": (None, "patch /contacts/{contact}", {"message": "Hello", "is_resolved": True}),
    "both fields of a resolved contact": (
        None,
        "patch /contacts/{resolved}",
        {"message": "Hello", "is_resolved": False},
    ),
}


@pytest.fixture
def half_past(time_machine):
    """No hour ends while the calls are made: what has happened in an earlier one is tallied first."""
    time_machine.move_to(datetime.now(UTC).replace(minute=30))


def test_each_call_costs_so_many_statements_and_is_one_transaction(half_past, api, cast):
    """An error can then be answered only when nothing is changed. Contacts are taken from the queue afterwards."""
    wrong = []
    for name, (number, call, body) in (CALLS | ALSO).items():
        answer, statements, writers = made_and_undone(api, cast, call, body)
        if answer.status_code >= 300:
            wrong.append(f"{name}: {answer.status_code} {answer.text}")
        elif number not in (None, len(statements)):
            wrong.append("\n".join([f"{name}: {len(statements)} statements, not {number}:", *statements]))
        if len(writers) > 1:
            wrong.append(f"{name} writes in several transactions: {writers}")
    assert wrong == []


def made_and_undone(api, cast, call, body):
    """The answer, the statements, and the functions whose transactions have written, in a process that has just
    started."""
    method, path = call.format(**cast).split()
    cache.clear()
    ContentType.objects.clear_cache()
    transactions.committed.clear()
    with transaction.atomic():
        with CaptureQueriesContext(connection) as seen:
            answer = getattr(api, method)(f"/api/v1{path}", filled_in(body, cast))
        transaction.set_rollback(True)
    writers = [function for function in transactions.committed if function not in transactions.AFTER_A_COMMIT]
    return answer, [query["sql"] for query in seen], writers
