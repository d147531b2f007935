"""The OpenAPI schema: what the code cannot say by itself."""

from typing import Any

PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `detail` is a readable sentence, `code` is for programs, `errors` names every bad field.",
    "required": ["type", "title", "status", "detail", "code", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}

TITLES = {
    "400": "Malformed or invalid",
    "404": "No such source, operator, lead or contact",
    "409": "The state forbids it",
    "413": "The body is too large",
    "415": "Not JSON",
    "503": "Busy, or the database cannot be reached, takes too long or is full; `Retry-After` says when to try again",
}


def with_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Adds to every operation the errors that it can answer with."""
    result["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for status in statuses(path, operation):
                operation["responses"].setdefault(status, {"description": TITLES[status], "content": content})
    return result


def statuses(path: str, operation: dict[str, Any]) -> list[str]:
    if not path.startswith("/api/"):
        return []
    found = ["404"] if "{" in path else []
    if "requestBody" in operation:
        found = ["400", "404", "409", "413", "415"]
    return [*found, "503"]
