from drf_spectacular.utils import OpenApiExample

from core.api.examples import MOMENT, MOMENTS, answer, request

ASKED = {
    "url": "https://bot.example.com/crm",
    "types": ["contact.assigned", "contact.queued", "contact.resolved"],
    "source_id": None,
    "with_message": False,
    "is_active": True,
}
ANSWERED = ASKED | {"id": 1, "disabled_reason": None, "disabled_at": None, "failing_since": None} | MOMENTS
WEBHOOK = [request(ASKED), answer(ANSWERED)]
NEW_WEBHOOK = [request(ASKED), answer(ANSWERED | {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="})]
ATTEMPT = {"at": MOMENT, "status": 200, "duration_ms": 38, "error": None, "answer": "ok"}
TEST = [answer({"is_accepted": True, "status": 200, "duration_ms": 38, "error": None, "answer": "ok"})]
DELIVERY = [
    answer(
        {
            "id": 7,
            "webhook_id": 1,
            "event_id": 337,
            "message_id": "evt_337",
            "type": "contact.assigned",
            "contact_id": 42,
            "status": "delivered",
            "created_at": MOMENT,
            "delivered_at": MOMENT,
            "next_at": None,
            "attempts": [ATTEMPT],
        }
    )
]
REPLAY = [request({"after": "2025-11-26T00:00:00Z"}, "After a moment"), request({"delivery_id": 7}, "One delivery")]
REPLAYING = [OpenApiExample("Answer", {"status": "pending"}, response_only=True, status_codes=["202"])]
