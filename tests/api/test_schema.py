import re

import pytest
from drf_spectacular.generators import SchemaGenerator

pytestmark = pytest.mark.once


@pytest.fixture
def schema(api):
    return api.get("/openapi.json").json()


def test_every_operation_says_how_it_fails(schema):
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert "503" in operation["responses"], path


def test_operation_ids_are_names_that_a_client_can_use(schema):
    ids = [operation["operationId"] for path in schema["paths"].values() for operation in path.values()]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z_]+", name) for name in ids)


def test_the_example_of_a_contact_is_the_briefs_own(schema):
    examples = schema["paths"]["/api/v1/contacts"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert next(iter(examples.values()))["value"]["message"] == "Здравствуйте!"


def test_the_docs_page_loads_nothing_from_elsewhere(api):
    answer = api.get("/docs")
    html = answer.content.decode()
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', html)
    assert not re.findall(r"<script>[^<]", html)
    assert (
        "script-src" in answer["Content-Security-Policy"] or "default-src 'self'" in answer["Content-Security-Policy"]
    )


def problems_of(schema, path, method, status):
    """The examples of an error, by code."""
    content = schema["paths"][path][method]["responses"][str(status)]["content"]["application/problem+json"]
    return {code: schema["components"]["examples"][code]["value"] for code in content["examples"]}


def test_every_error_has_an_example_of_its_own_status(schema):
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            for status in (status for status in operation["responses"] if status >= "400"):
                statuses = {example["status"] for example in problems_of(schema, path, method, status).values()}
                assert statuses == {int(status)}, (method, path)


def test_the_example_of_a_taken_name_is_what_the_service_answers(api, schema):
    body = {"name": "Telegram Bot"}
    api.post("/api/v1/sources", body)
    assert api.post("/api/v1/sources", body).json() == problems_of(schema, "/api/v1/sources", "post", 409)["name_taken"]


def test_the_example_of_an_invalid_field_is_what_the_service_answers(api, schema):
    answer = api.post("/api/v1/operators", {"name": "Анна", "max_load": 101})
    assert answer.json() == problems_of(schema, "/api/v1/operators", "post", 400)["invalid"]


def test_the_example_of_what_is_not_there_is_what_the_service_answers(api, schema):
    answer = api.post("/api/v1/contacts", {"source_id": 7, "lead_phone": "+79991234567"})
    assert answer.json() == problems_of(schema, "/api/v1/contacts", "post", 404)["not_found"]


def test_only_what_can_happen_is_documented(schema):
    responses = schema["paths"]["/api/v1/operators"]["get"]["responses"]
    assert sorted(responses) == ["200", "401", "403", "429", "500", "503"]
    assert "Retry-After" in responses["429"]["headers"]
    assert "409" not in schema["paths"]["/api/v1/operators"]["post"]["responses"]


def test_an_idempotency_key_can_be_reused_wrongly(schema):
    assert "422" in schema["paths"]["/api/v1/contacts"]["post"]["responses"]


def test_ids_in_paths_are_integers(schema):
    parameters = [
        p for path in schema["paths"].values() for operation in path.values() for p in operation.get("parameters", [])
    ]
    assert {p["schema"]["type"] for p in parameters if p["in"] == "path"} == {"integer"}


def test_the_schema_is_built_once_for_each_language(api, monkeypatch):
    paths = ["/openapi.json", "/openapi.json?lang=ru", "/openapi.json?lang=nonsense"]
    first = [api.get(path).content for path in paths]
    monkeypatch.setattr(SchemaGenerator, "get_schema", lambda *_, **__: pytest.fail("built again"))
    assert [api.get(path).content for path in paths] == first
    assert (first[0] == first[1], first[0] == first[2]) == (False, True)


def test_the_schema_says_what_it_is_and_answers_head(api):
    whole, head = api.get("/openapi.json"), api.head("/openapi.json")
    assert whole["Content-Type"] == head["Content-Type"] == "application/vnd.oai.openapi+json"
    assert (head.status_code, head.content) == (200, b"")
