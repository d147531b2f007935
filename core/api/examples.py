"""Builds request and response examples for the API documentation."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

MOMENTS = {"created_at": "2025-11-26T00:00:00Z", "updated_at": "2025-11-26T00:00:00Z"}


def example(asked: dict[str, Any], answered: dict[str, Any]) -> list[OpenApiExample]:
    return [
        OpenApiExample("Request", asked, request_only=True),
        OpenApiExample("Answer", answered | MOMENTS, response_only=True, status_codes=["200", "201"]),
    ]
