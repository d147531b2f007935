"""Builds request and response examples for the API documentation."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

MOMENT = "2025-11-26T00:00:00Z"
MOMENTS = {"created_at": MOMENT, "updated_at": MOMENT}


def request(body: Any, name: str = "Request") -> OpenApiExample:
    return OpenApiExample(name, body, request_only=True)


def answer(body: Any, name: str = "Answer") -> OpenApiExample:
    return OpenApiExample(name, body, response_only=True)


def example(asked: dict[str, Any], answered: dict[str, Any]) -> list[OpenApiExample]:
    return [request(asked), answer(answered | MOMENTS)]
