"""The examples of the original brief, shown in the API documentation."""

from drf_spectacular.utils import OpenApiExample

from core.api.examples import MOMENTS, example

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
