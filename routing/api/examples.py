"""The examples of the API documentation; the first ones are those of the original brief."""

from typing import Any

from core.api.examples import MOMENT, MOMENTS, answer, example, request

SOURCE = example(
    {"name": "Telegram Bot", "description": "Основной телеграм бот"},
    {
        "name": "Telegram Bot",
        "description": "Основной телеграм бот",
        "id": 1,
        **MOMENTS,
        "phone_region": "",
        "phone_format": "national",
        "unreadable_phones": "refuse",
        "strategy": "weighted_random",
        "is_sticky": False,
        "may_rename": True,
        "accept_within": None,
        "max_offers": 3,
        "off_duty_after_missed": None,
    },
)
WEIGHT = [
    request({"operator_id": 1, "weight": 30}),
    answer({"source_id": 1, "operator_id": 1, "weight": 30}),
]
ASSIGNED: dict[str, Any] = {
    "message": "Здравствуйте!",
    "id": 1,
    "lead_id": 1,
    "source_id": 1,
    "operator_id": 1,
    "is_resolved": False,
    **MOMENTS,
    "assignment": {
        "status": "assigned",
        "reason": None,
        "position": None,
        "accepted_at": None,
        "due_at": None,
        "offers": 1,
        "opens_at": None,
    },
    "operator": {"id": 1, "name": "Анна", "external_ref": None},
    "warnings": [],
}
WAITING: dict[str, Any] = {
    "message": "Здравствуйте!",
    "id": 2,
    "lead_id": 1,
    "source_id": 1,
    "operator_id": None,
    "is_resolved": False,
    **MOMENTS,
    "assignment": {
        "status": "waiting",
        "reason": "all_full",
        "position": 1,
        "accepted_at": None,
        "due_at": None,
        "offers": 0,
        "opens_at": None,
    },
    "operator": None,
    "warnings": [],
}
CONTACT = [answer(ASSIGNED, "Assigned"), answer(WAITING, "Nobody is free")]
CONTACT_CHANGE = [request({"is_resolved": True})]
RESOLVE = [request({"expected_operator_id": 1})]
DECLINE = [request({"reason": "Не говорю по-английски", "expected_operator_id": 1})]
REASSIGN = [
    request({}, "To another operator, by the rule"),
    request({"operator_id": 2, "force": True}, "To this operator, even off duty or above the limit"),
    request({"operator_id": None}, "Back to the queue"),
    request({"operator_id": 2, "expected_operator_id": 1}, "Only if the first operator still has it"),
]
DECISION = [
    answer(
        {
            "cause": "intake",
            "at": MOMENT,
            "strategy": "weighted_random",
            "draw": 0.371,
            "chosen": 1,
            "reason": None,
            "candidates": [
                {
                    "operator_id": 1,
                    "name": "Анна",
                    "weight": 30,
                    "load": 0,
                    "max_load": 50,
                    "eligible": True,
                    "reason": None,
                    "probability": 1.0,
                }
            ],
            "text": "Анна was drawn at random by weight, with a probability of 100%.",
            "next_place_at": None,
        }
    )
]
EVENT = [
    answer(
        {
            "at": MOMENT,
            "what": "registered",
            "from_operator_id": None,
            "to_operator_id": 1,
            "by": "API",
            "reason": None,
            "note": None,
            "text": "Registered by API: to Анна.",
        }
    )
]
QUEUE = [answer({"source_id": 1, "waiting": 3, "oldest_created_at": MOMENT, "reason": "all_full"})]
SHARE = [
    answer(
        {
            "source_id": 1,
            "operator_id": 1,
            "assigned": 78,
            "expected": 75.0,
            "share": 0.78,
            "configured_share": 0.75,
            "low": 66.5,
            "high": 83.5,
            "within_chance": True,
            "drawn": 78,
            "taken": 0,
            "by_hand": 0,
            "by_weight": 75.0,
            "reasons": {
                "duty": 0.0,
                "limit": 0.0,
                "given_back": 0.0,
                "sticky": 0.0,
                "load": 0.0,
                "chance": 3.0,
                "taken": 0.0,
                "by_hand": 0.0,
            },
            "verdict": "fair",
            "p_value": 0.49,
        }
    )
]
FIGURES: dict[str, Any] = {
    "registered": 118,
    "assigned": 131,
    "accepted": 120,
    "declined": 3,
    "timed_out": 8,
    "resolved": 115,
    "reopened": 2,
    "waiting_p50": 0.0,
    "waiting_p90": 84.4,
    "first_reaction_p50": 43.4,
    "first_reaction_p90": 196.4,
    "resolution_p50": 3207.0,
    "resolution_p90": 12179.0,
    "on_duty_seconds": 144000.0,
}
REPORT = [
    answer(
        {
            "from": MOMENT,
            "to": "2025-12-03T00:00:00Z",
            "group_by": "operator",
            "rows": [{"key": 1, "name": "Анна", **FIGURES}],
            "total": FIGURES,
        }
    )
]
