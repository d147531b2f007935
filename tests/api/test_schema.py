import re

import pytest


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
