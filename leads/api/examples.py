"""The original brief's own examples, shown in the API docs."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

MOMENTS = {"created_at": "2025-11-26T00:00:00Z", "updated_at": "2025-11-26T00:00:00Z"}


def example(asked: dict[str, Any], answered: dict[str, Any]) -> list[OpenApiExample]:
    return [
        OpenApiExample("Request", asked, request_only=True),
        OpenApiExample("Answer", answered | MOMENTS, response_only=True, status_codes=["200", "201"]),
    ]


OPERATOR = example(
    {"name": "Анна", "is_active": True, "max_load": 50},
    {"name": "Анна", "is_active": True, "max_load": 50, "id": 1, "current_load": 0},
)
SOURCE = example(
    {"name": "Telegram Bot", "description": "Основной телеграм бот"},
    {
        "name": "Telegram Bot",
        "description": "Основной телеграм бот",
        "id": 1,
        **MOMENTS,
        "phone_region": "",
        "strategy": "weighted_random",
        "is_sticky": False,
    },
)
WEIGHT = [
    OpenApiExample("Request", {"operator_id": 1, "weight": 30}, request_only=True),
    OpenApiExample("Answer", {"source_id": 1, "operator_id": 1, "weight": 30}, response_only=True),
]
NEW_CONTACT = [
    OpenApiExample(
        "Request", {"lead_phone": "+79991234567", "source_id": 1, "message": "Здравствуйте!"}, request_only=True
    )
]
CONTACT = [
    OpenApiExample(
        "Assigned",
        {
            "message": "Здравствуйте!",
            "id": 1,
            "lead_id": 1,
            "source_id": 1,
            "operator_id": 1,
            "is_resolved": False,
            **MOMENTS,
            "assignment": {"status": "assigned", "reason": None, "position": None},
        },
        response_only=True,
    ),
    OpenApiExample(
        "Nobody is free",
        {
            "message": "Здравствуйте!",
            "id": 2,
            "lead_id": 1,
            "source_id": 1,
            "operator_id": None,
            "is_resolved": False,
            **MOMENTS,
            "assignment": {"status": "waiting", "reason": "all_full", "position": 1},
        },
        response_only=True,
    ),
]
LEAD = example(
    {"email": "anna@example.com"},
    {"phone": "+79991234567", "email": "anna@example.com", "name": "Анна", "id": 1},
)
