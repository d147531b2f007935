import logging

import pytest

from crm_router.observability import logs
from routing import lifecycle
from routing.api.contacts import ContactViewSet
from tests import characters

pytestmark = pytest.mark.django_db(transaction=True)


def requests(lines):
    return [line for line in lines() if line["logger"] == "crm_router.requests"]


def test_a_request_is_one_line(api, lines):
    api.get("/api/v1/operators?page=2", headers={"x-request-id": "bot-42:7f"})
    [line] = lines()
    assert line["event"] == "request"
    assert line["request_id"] == "bot-42:7f"
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/v1/operators", 200)
    assert 0 < line["duration_ms"] < 10_000


def test_a_registered_contact_is_named(api, lines):
    anna = characters.operator()
    bot = characters.source(roster={anna: 10})
    contact = api.post("/api/v1/contacts", {"source_id": bot.pk, "lead_phone": characters.somebody_new()}).json()
    [line] = requests(lines)
    assert (line["what"], line["contact_id"], line["changes"]) == ("registered", contact["id"], 1)
    assert (line["source_id"], line["operator_id"], line["strategy"]) == (bot.pk, anna.pk, "weighted_random")
    assert "reason" not in line


def test_a_contact_that_waits_says_why(api, lines):
    bot = characters.source(roster={characters.operator(is_active=False): 10})
    api.post("/api/v1/contacts", {"source_id": bot.pk, "lead_phone": characters.somebody_new()})
    [line] = requests(lines)
    assert line["reason"] == "all_inactive"
    assert "operator_id" not in line


def test_resolving_names_the_contact_that_was_asked_for_not_the_one_that_follows(api, lines):
    bot = characters.source(roster={characters.operator(limit=1): 10})
    first, _next = characters.contact(bot), characters.contact(bot)
    api.post(f"/api/v1/contacts/{first.pk}/resolve")
    [line] = requests(lines)
    assert line["route"] == "/api/v1/contacts/{pk}/resolve"
    assert (line["what"], line["contact_id"], line["changes"]) == ("resolved", first.pk, 2)


def test_what_was_rolled_back_is_not_told(api, lines):
    bot = characters.source(roster={characters.operator(): 10})
    contact = characters.contact(bot)
    assert api.post(f"/api/v1/contacts/{contact.pk}/reassign", {}).status_code == 409
    [line] = requests(lines)
    assert line["code"] == "nobody_else_free"
    assert "what" not in line


def test_probes_are_quiet_until_they_fail(api, lines):
    api.get("/health")
    api.get("/health/ready")
    assert lines() == []
    api.post("/health")
    assert [line["status"] for line in requests(lines)] == [405]


def test_what_is_said_meanwhile_has_the_requests_id(api, lines, monkeypatch):
    def talkative(self):
        logging.getLogger("leads").warning("Something odd")
        return original(self)

    original = ContactViewSet.get_queryset
    monkeypatch.setattr(ContactViewSet, "get_queryset", talkative)
    api.get("/api/v1/contacts/404", headers={"x-request-id": "bot-42:7f"})
    assert [(line["logger"], line["request_id"]) for line in lines()] == [
        ("leads", "bot-42:7f"),
        ("crm_router.requests", "bot-42:7f"),
    ]


def test_outside_of_a_request_there_is_no_id(api, lines):
    api.get("/api/v1/operators")
    logging.getLogger("leads").warning("Something odd")
    assert "request_id" not in lines()[-1]


def test_a_fault_of_ours_is_told_with_its_traceback_under_the_requests_id(api, lines, monkeypatch):
    def broken(self):
        raise RuntimeError

    monkeypatch.setattr(ContactViewSet, "get_queryset", broken)
    api.raise_request_exception = False
    answer = api.get("/api/v1/contacts/1", headers={"x-request-id": "bot-42:7f"})
    incident, request = lines()
    assert "incident bot-42:7f" in answer.json()["detail"]
    assert incident["level"] == "error"
    assert incident["request_id"] == request["request_id"] == "bot-42:7f"
    assert "in broken\n    raise RuntimeError\nRuntimeError" in incident["exception"]
    assert (request["status"], request["code"]) == (500, "internal")


def test_a_traceback_tells_what_came_first():
    try:
        try:
            lifecycle.find_contact(404)
        except Exception as refusal:
            raise AttributeError("no such thing") from refusal
    except AttributeError as error:
        told = logs.format_exception(error)
    assert told.index("core.errors.Unknown") < told.index("which led to") < told.index("no such thing")


def test_a_line_for_the_terminal_says_the_same():
    record = logging.makeLogRecord(
        {"name": "leads", "levelno": 20, "levelname": "INFO", "msg": "Hello %s", "args": ("there",), "status": 201}
    )
    line = logs.Formatter("line").format(record)
    assert line.endswith("Z INFO leads Hello there status=201")
