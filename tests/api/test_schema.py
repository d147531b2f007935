import re
import sys

import pytest
from drf_spectacular.generators import SchemaGenerator

pytestmark = pytest.mark.once


@pytest.fixture
def schema(api):
    return api.get("/openapi.json").json()


def test_every_operation_says_how_it_fails(schema):
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert "503" in operation["responses"] or path in ("/", "/health"), path


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
    responses = schema["paths"]["/api/v1/queue"]["get"]["responses"]
    assert sorted(responses) == ["200", "401", "403", "429", "500", "503"]
    assert "Retry-After" in responses["429"]["headers"]
    assert "409" not in schema["paths"]["/api/v1/contacts"]["post"]["responses"]


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


def operations(schema):
    return [
        (f"{method} {path}", operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_has_a_summary_of_one_line(schema):
    summaries = {name: operation.get("summary", "") for name, operation in operations(schema)}
    assert {name: text for name, text in summaries.items() if not 5 < len(text) <= 120 or text.endswith(".")} == {}


def test_every_tag_is_described(schema):
    described = {tag["name"]: tag["description"] for tag in schema["tags"]}
    used = {tag for _, operation in operations(schema) for tag in operation["tags"]}
    assert set(described) == used
    assert all(described.values())


def bodies(operation):
    """What is sent and what a success answers, each as its part of the schema."""
    parts = [operation.get("requestBody", {}), *(it for status, it in operation["responses"].items() if status < "300")]
    return [part["content"]["application/json"] for part in parts if "content" in part]


def examples_of(body):
    return [body["example"]] if "example" in body else [it["value"] for it in body.get("examples", {}).values()]


def test_every_body_and_answer_has_an_example_that_fits_its_schema(schema):
    for name, operation in operations(schema):
        for body in bodies(operation):
            examples = examples_of(body)
            assert examples, name
            for example in examples:
                validator_of(schema, body["schema"]).validate(example)


def validator_of(schema, part):
    """OpenAPI 3.0 says "nullable" where JSON Schema says that the type may be null."""
    from jsonschema import Draft202012Validator  # takes a second, which each process of the tests would need

    return Draft202012Validator(with_null({"components": schema["components"], **part}))


def with_null(part):
    if isinstance(part, list):
        return [with_null(each) for each in part]
    if not isinstance(part, dict):
        return part
    plain = {key: with_null(value) for key, value in part.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if part.get("nullable") is True else plain


def test_what_an_example_answers_is_all_that_is_answered(schema):
    """Examples that lack a field, because it came later, mislead."""
    for name, operation in operations(schema):
        for body in bodies(operation):
            reference = body["schema"].get("$ref", "")
            component = schema["components"]["schemas"].get(reference.rpartition("/")[2], {})
            if component and not reference.endswith("Request"):
                assert all(set(component["required"]) <= set(example) for example in examples_of(body)), name


@pytest.mark.parametrize(
    ("name", "optional"),
    [
        ("Operator", set()),
        ("Source", set()),
        ("Weight", set()),
        ("Contact", set()),
        ("Lead", {"merged_into"}),
        ("PaginatedContactList", set()),
        ("Result", {"contact", "error", "replayed"}),
    ],
)
def test_what_is_always_answered_is_required(schema, name, optional):
    component = schema["components"]["schemas"][name]
    assert set(component["properties"]) - set(component["required"]) == optional


def test_the_introduction_explains_what_all_calls_have_in_common(schema):
    introduction = schema["info"]["description"]
    for subject in ("Authorization: Bearer", "RFC 9457", "Idempotency-Key", "Ids", "pages"):
        assert subject in introduction


def test_the_front_page_and_the_health_pages_are_in_it(schema):
    assert {"/", "/health", "/health/ready"} <= set(schema["paths"])


def test_nothing_is_in_it_that_generators_of_clients_stumble_over(schema):
    """`anyOf` beside the fields of a body, and enums without a type or with a name of their own for null."""
    for name, component in schema["components"]["schemas"].items():
        parts = [component, *component.get("properties", {}).values()]
        assert not any({"anyOf", "oneOf"} & set(part) for part in parts), name
        assert "enum" not in component or component["type"] == "string", name


def test_no_client_sends_a_default_that_nobody_has_given(schema):
    """A client that adds the defaults to a PATCH puts people on duty who are not."""
    for name, component in schema["components"]["schemas"].items():
        assert not any("default" in field for field in component.get("properties", {}).values()), name
    asked = schema["components"]["schemas"]["OperatorRequest"]["properties"]
    assert "Default: true." in asked["is_active"]["description"]


def test_nobody_looks_for_gdal_to_make_it(schema):
    assert not [name for name in sys.modules if name.startswith("django.contrib.gis")]
