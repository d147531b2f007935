"""The examples of the API documentation; the first ones are those of the original brief."""

from core.api.examples import MOMENT, MOMENTS, answer, request
from core.api.problems import problem_document
from routing.api.examples import ASSIGNED, EVENT

NEW_CONTACT = [request({"lead_phone": "+79991234567", "source_id": 1, "message": "Здравствуйте!"})]
UNREADABLE = "“привет” is not a valid phone number: it contains letters."
BATCH = [
    request(
        {
            "contacts": [
                {"source_id": 1, "lead_phone": "+79991234567", "idempotency_key": "chat-42-message-7"},
                {"source_id": 1, "lead_phone": "привет"},
            ]
        }
    )
]
RESULTS = [
    answer(
        {
            "results": [
                {"index": 0, "status": 201, "contact": ASSIGNED},
                {
                    "index": 1,
                    "status": 400,
                    "error": problem_document(
                        400,
                        "invalid",
                        UNREADABLE,
                        [{"field": "lead_phone", "code": "invalid", "detail": UNREADABLE}],
                    ),
                },
            ]
        }
    )
]
ANNA = {"phone": "+79991234567", "email": "anna@example.com", "name": "Анна", "id": 1, **MOMENTS}
ANNA_AGAIN = {"phone": "+79991234568", "email": None, "name": "Анна", "id": 2, **MOMENTS}
LEAD = [answer(ANNA)]
LEAD_CHANGE = [request({"email": "anna@example.com"})]
OTHER_LEAD = [request({"lead_id": 2})]
DUPLICATE = [answer({"id": 1, "lead": ANNA, "other": ANNA_AGAIN, "created_at": MOMENT})]
PHONE = {
    "kind": "phone",
    "value": "+79991234567",
    "raw": "8 (999) 123-45-67",
    "source_id": None,
    "created_at": MOMENT,
    "id": 1,
    "is_shared": False,
    "added_by": "key crm_0123456789ab",
    "added_through_source_id": 1,
}
IDENTITY = [request({"is_shared": True}), answer(PHONE)]
NOTE = {"text": "Перезвонить после 18:00", "by": "user boris", "at": MOMENT}
DOSSIER = [
    answer(
        {
            "lead": ANNA
            | {
                "name_added_by": "key crm_0123456789ab",
                "name_added_through_source_id": 1,
                "name_added_at": MOMENT,
            },
            "identities": [PHONE],
            "former_names": [],
            "contacts": [ASSIGNED | {"history": [EVENT[0].value], "notes": [NOTE]}],
            "merged": [],
            "merges": [],
            "possible_duplicates": [{"lead_id": 1, "other_id": 2, "created_at": MOMENT}],
        }
    )
]
