import pytest


@pytest.fixture
def operations(api):
    """Every operation of the API, by path and method."""
    paths = api.get("/openapi.json").json()["paths"]
    return {
        f"{method} {path}": paths[path][method] for path in paths if path.startswith("/api/") for method in paths[path]
    }


def test_every_operation_takes_a_bearer_key(operations, api):
    assert api.get("/openapi.json").json()["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert [name for name in operations if operations[name]["security"] != [{"key": []}]] == []


@pytest.mark.parametrize("status", ["401", "403", "429"])
def test_every_operation_says_how_it_turns_callers_away(operations, status):
    assert [name for name in operations if status not in operations[name]["responses"]] == []
