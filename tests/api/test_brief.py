"""The original brief's examples, call by call, against its answers."""

import re

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def stable(body):
    """The answer without its moments, after a look that they are ISO 8601 in UTC."""
    assert all(MOMENT.fullmatch(value) for key, value in body.items() if key.endswith("_at"))
    return {key: value for key, value in body.items() if not key.endswith("_at")}


def test_the_brief_from_the_first_operator_to_the_first_contact(api):
    anna = api.post("/api/v1/operators", {"name": "Анна", "is_active": True, "max_load": 50})
    bot = api.post("/api/v1/sources", {"name": "Telegram Bot", "description": "Основной телеграм бот"})
    weight = api.post(f"/api/v1/sources/{bot.json()['id']}/operators", {"operator_id": anna.json()["id"], "weight": 30})
    contact = api.post(
        "/api/v1/contacts",
        {"lead_phone": "+79991234567", "source_id": bot.json()["id"], "message": "Здравствуйте!"},
    )
    assert [answer.status_code for answer in (anna, bot, weight, contact)] == [201] * 4
    anna, bot, weight, contact = (answer.json() for answer in (anna, bot, weight, contact))
    assert list(anna)[:7] == ["name", "is_active", "max_load", "id", "current_load", "created_at", "updated_at"]
    assert stable(anna) == {
        "name": "Анна",
        "is_active": True,
        "max_load": 50,
        "id": anna["id"],
        "current_load": 0,
        "external_ref": None,
        "max_per_hour": None,
        "max_per_day": None,
        "queue_pace": None,
        "capped_until": None,
        "paced_until": None,
        "paused_until": None,
    }
    assert list(bot)[:5] == ["name", "description", "id", "created_at", "updated_at"]
    assert stable(bot) == {
        "name": "Telegram Bot",
        "description": "Основной телеграм бот",
        "id": bot["id"],
        "phone_region": "",
        "phone_format": "national",
        "unreadable_phones": "refuse",
        "strategy": "weighted_random",
        "is_sticky": False,
        "may_rename": True,
        "accept_within": None,
        "max_offers": 3,
        "off_duty_after_missed": None,
    }
    assert weight == {"source_id": bot["id"], "operator_id": anna["id"], "weight": 30}
    assert list(contact) == [
        "message", "id", "lead_id", "source_id", "operator_id", "is_resolved", "created_at", "updated_at", "assignment",
        "operator", "warnings",
    ]  # fmt: skip
    assert stable(contact) == {
        "message": "Здравствуйте!",
        "id": contact["id"],
        "lead_id": contact["lead_id"],
        "source_id": bot["id"],
        "operator_id": anna["id"],
        "is_resolved": False,
        "assignment": {
            "status": "assigned",
            "reason": None,
            "position": None,
            "accepted_at": None,
            "due_at": None,
            "offers": 1,
            "opens_at": None,
        },
        "operator": {"id": anna["id"], "name": "Анна", "external_ref": None},
        "warnings": [],
    }
    assert api.get(f"/api/v1/operators/{anna['id']}").json()["current_load"] == 1


def test_nobody_free_is_a_201_with_null_and_the_reason(api):
    bot = api.post("/api/v1/sources", {"name": "Bot"}).json()
    answer = api.post("/api/v1/contacts", {"lead_phone": "+79991234567", "source_id": bot["id"]})
    assert answer.status_code == 201
    assert answer.json()["operator_id"] is None
    assert answer.json()["message"] is None
    assert answer.json()["assignment"] == {
        "status": "waiting",
        "reason": "no_operators",
        "position": 1,
        "accepted_at": None,
        "due_at": None,
        "offers": 0,
        "opens_at": None,
    }


def test_the_front_page_says_where_the_docs_are(api):
    body = api.get("/").json()
    assert (list(body), body["docs"]) == (["message", "docs", "version"], "/docs")


def test_health_is_ok(api):
    assert api.get("/health").json() == {"status": "ok"}
    assert api.get("/health/ready").json()["status"] == "ok"
