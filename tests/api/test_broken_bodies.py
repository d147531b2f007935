"""Whatever is sent to whatever takes a body: a refusal in words, and nothing has changed.

tests/service/test_fuzzing.py sends more of it; but whether a refusal has changed anything is seen only here.
"""

import json
import re
from contextlib import contextmanager
from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import transaction

from tests.api.conftest import filled_in
from tests.api.test_errors import assert_problem
from tests.api.test_statements import CALLS

pytestmark = pytest.mark.once  # bodies, sentences and headers are the same on both databases

BODIES: dict[str, tuple[str, Any]] = {  # operation: the call, and a body that it takes
    name: (call, body) for name, (_, call, body) in CALLS.items() if call.startswith(("post", "put", "patch"))
}
DO_NOT_READ_IT = {
    "changes_revert_create",
    "contacts_reopen_create",
    "leads_erase_create",
    "leads_unmerge_create",
    "leads_duplicates_dismiss_create",
    "operator_resume",
    "operators_restore_create",
    "sources_restore_create",
    "telegram_link_create",
    "webhooks_rotate_secret_create",
    "webhooks_test_create",
}
READ_IT = sorted(BODIES.keys() - DO_NOT_READ_IT)
MAY_BE_EMPTY = {
    "contacts_accept_create",
    "contacts_decline_create",
    "contacts_partial_update",
    "contacts_reassign_create",
    "contacts_resolve_create",
    "contacts_touch_create",
    "leads_partial_update",
    "operators_handover_create",
    "operators_partial_update",
    "sources_partial_update",
    "webhooks_partial_update",
}

DEEP = settings.MAX_JSON_DEPTH + 1
BROKEN = [
    b"null",
    b'"x"',
    b"7",
    b"true",
    b"NaN",
    b"-Infinity",
    b"{",
    b"{}{}",
    b'{"a" 1}',
    b'{"a": NaN}',
    b'{"a": ' * DEEP + b"1" + b"}" * DEEP,
    b"[" * 5000,
    b"9" * 5000,
    b"[[]]",
    b'["x"]',
    b"\xff\xfe{}",
    b'{"a": "\xc3"}',
    b"\xef\xbb\xbf{",
]
OTHER_TYPES = [
    "text/plain",
    "text/json",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
]
OF_PYTHON = re.compile(r"codec|decode|char \d|Expecting|Extra data|Out of range|integer string conversion|delimiter")
HUGE = 10**30
NESTED = {"a": {"b": [1]}}
WRONG = {  # by type in the schema: what no field of it can mean
    "integer": ["x", "", "1e3", 1.5, True, HUGE, -HUGE, str(HUGE), [], [1], {}, NESTED],
    "string": [True, [], ["x"], {}, NESTED],
    "boolean": ["x", "2", 7, 1.5, HUGE, [], [True], {}, NESTED],
    "array": ["x", 7, True, None, {}, NESTED],
    "object": ["x", "", 7, True, [], [1]],
}


@pytest.fixture
def send(api, cast):
    """Sends what stands there to an operation."""

    def send(operation, raw, content_type="application/json"):
        method, path = BODIES[operation][0].format(**cast).split()
        return api.generic(method.upper(), f"/api/v1{path}", raw, content_type)

    return send


@pytest.fixture
def unchanged(cast):
    """Every row of every table is in the end what it was before the test."""
    before = everything()
    yield
    assert everything() == before


def everything():
    return {model: list(model._base_manager.order_by("pk").values()) for model in apps.get_models()}


@pytest.fixture
def schema(api):
    return api.get("/openapi.json").json()


@contextmanager
def undone():
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def fields_of(schema, operation):
    """Name to the values that it cannot have, of each field that the schema knows in the operation's body."""
    [body] = [
        found["requestBody"]["content"]["application/json"]["schema"]
        for path in schema["paths"].values()
        for found in path.values()
        if found["operationId"] == operation
    ]
    name = (body.get("items") or body)["$ref"].rpartition("/")[2]
    fields = schema["components"]["schemas"][name]["properties"].items()
    return {field: wrong_values(shape, kind_of(shape, schema)) for field, shape in fields}


def wrong_values(shape, kind):
    return [value for value in WRONG[kind] if value is not None or not shape.get("nullable")]


def kind_of(shape, schema):
    parts = [shape, *shape.get("oneOf", []), *shape.get("allOf", [])]
    parts += [schema["components"]["schemas"][part["$ref"].rpartition("/")[2]] for part in parts if "$ref" in part]
    return next(part["type"] for part in parts if "type" in part)


def with_field(body, name, value):
    """Of a list the first item has it."""
    return [{**body[0], name: value}, *body[1:]] if isinstance(body, list) else {**body, name: value}


def test_who_takes_no_body_is_known_by_name(schema):
    paths = schema["paths"].values()
    taking = {found["operationId"] for path in paths for found in path.values() if "requestBody" in found}
    assert taking == set(READ_IT)


@pytest.mark.usefixtures("unchanged")
def test_a_broken_body_is_refused_in_a_sentence_and_changes_nothing(send):
    for operation, raw in product(READ_IT, BROKEN):
        answer = send(operation, raw)
        assert_problem(answer, 400)
        detail = answer.json()["detail"]
        assert re.fullmatch(r"\S.*[.!?]", detail, re.DOTALL), (operation, raw, answer.json())
        assert not OF_PYTHON.search(detail), (operation, raw, answer.json())


@pytest.mark.usefixtures("unchanged")
def test_what_does_not_say_that_it_is_json_is_refused_and_changes_nothing(send, cast):
    for operation, content_type in product(READ_IT, OTHER_TYPES):
        assert_problem(send(operation, json.dumps(filled_in(BODIES[operation][1], cast)), content_type), 415)


@pytest.mark.usefixtures("unchanged")
def test_a_field_of_the_wrong_type_is_named_and_nothing_changes(send, cast, schema):
    for operation in READ_IT:
        body = filled_in(BODIES[operation][1], cast)
        for name, values in fields_of(schema, operation).items():
            for value in values:
                answer = send(operation, json.dumps(with_field(body, name, value)))
                assert_problem(answer, 400)
                named = {error["field"].rpartition(".")[2] for error in answer.json()["errors"]}
                assert named == {name}, (operation, name, value, answer.json())


@pytest.mark.usefixtures("unchanged")
def test_a_wrong_field_of_an_item_is_named_in_its_place_and_nothing_changes(send, cast, schema):
    fields = fields_of(schema, "contacts_create") | {"idempotency_key": WRONG["string"]}
    wrong = [(name, value) for name, values in fields.items() for value in values]
    [item] = filled_in(BODIES["contacts_batch"][1]["contacts"], cast)
    answer = send("contacts_batch", json.dumps({"contacts": [with_field(item, *pair) for pair in wrong]}))
    assert answer.status_code == 200
    named = [(result["status"], result["error"]["errors"][0]["field"]) for result in answer.json()["results"]]
    assert named == [(400, name) for name, _ in wrong]


def test_no_body_at_all_is_an_empty_object(send):
    """Which leaves out every field: fine where all may be left out, else a 400."""
    for operation in READ_IT:
        with undone():
            assert send(operation, "").status_code == (200 if operation in MAY_BE_EMPTY else 400), operation


def test_who_takes_no_body_does_not_mind_one(send):
    for operation, raw in product(sorted(DO_NOT_READ_IT), [b"{", b"null", b"\xff"]):
        with undone():
            assert send(operation, raw).status_code in (200, 201, 204), (operation, raw)


@pytest.mark.parametrize(("limits", "status"), [("5, 'max_load': 'x'", 400), ("'x', 'max_load': 5", 201)])
def test_of_a_field_that_is_given_twice_the_last_counts(send, limits, status):
    body = f"{{'name': 'Anna', 'max_load': {limits}}}".replace("'", '"')
    assert send("operators_create", body).status_code == status
