"""PostgreSQL is not there at the start, goes away, takes too long: 503 meanwhile, and afterwards as if nothing was."""

import http.client
import json
import re
import threading
from contextlib import closing, suppress
from typing import Any

import psycopg
import pytest

from tests.api.conftest import filled_in
from tests.api.test_statements import CALLS
from tests.service.bots import Bots, all_contact_ids
from tests.service.conftest import StartService
from tests.service.own_postgresql import Server
from tests.service.running import PATIENCE, Service, wait_until

pytestmark = [pytest.mark.service, pytest.mark.once]

BOUND = 30  # seconds that an answer may take, on a busy machine: the longest of DATABASE_..._TIMEOUT


def register(service: Service, source: int) -> tuple[int, str | None, Any]:
    """Status, Retry-After, body."""
    body = json.dumps({"source_id": source, "lead_email": "anna@example.com"})
    with closing(http.client.HTTPConnection(*service.address, timeout=PATIENCE)) as connection:
        connection.request("POST", "/api/v1/contacts", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Retry-After"), json.loads(answer.read())


def test_the_service_waits_for_its_database_and_then_works_by_itself(start: StartService, empty_server: Server) -> None:
    service = start(DATABASE_URL=empty_server.url)

    said = service.wait_until_it_answers("/health/ready", 503)

    assert said["code"] == "database_unreachable"
    assert service.get("/health")[0] == 200
    wait_until(lambda: "Waiting for the database: " in service.output(), "the log says what it waits for")
    empty_server.start()
    service.wait_until_up()
    assert service.roster(operators=1, limit=1)


def test_who_waits_for_the_database_ends_with_the_service(start: StartService, empty_server: Server) -> None:
    service = start(DATABASE_URL=empty_server.url)
    service.wait_until_it_answers("/health/ready", 503)
    wait_until(lambda: "Waiting for the database: " in service.output(), "somebody waits")
    assert service.stop() == 0
    wait_until(lambda: not service.is_survived(), "nobody is left")


def test_a_database_that_goes_away_is_a_503_and_comes_back_by_itself(start: StartService, server: Server) -> None:
    server.start()
    service = start(DATABASE_URL=server.url).wait_until_up()
    source = service.roster(operators=1, limit=100)
    server.stop()

    status, retry_after, problem = register(service, source)

    assert (status, retry_after, problem["code"]) == (503, "1", "unavailable")
    assert service.get("/health/ready")[0] == 503
    assert service.get("/admin/login/")[0] in (200, 503)
    server.start()
    service.wait_until_up()
    assert register(service, source)[0] == 201
    assert service.manage("check_routing").returncode == 0


@pytest.mark.parametrize("bound", ["DATABASE_LOCK_TIMEOUT", "DATABASE_STATEMENT_TIMEOUT"])
def test_a_statement_that_takes_too_long_is_a_503(start: StartService, server: Server, bound: str) -> None:
    server.start()
    service = start(DATABASE_URL=server.url, **{bound: "0.5"}).wait_until_up()
    source = service.roster(operators=1, limit=100)
    with psycopg.connect(server.url) as somebody:
        somebody.execute("SELECT 1 FROM operators_operator FOR UPDATE")

        status, retry_after, problem = register(service, source)

    assert (status, retry_after, problem["code"]) == (503, "1", "busy")
    assert problem["detail"] == "The database took too long. Please try again."
    assert register(service, source)[0] == 201
    assert service.get("/api/v1/operators")[1][0]["current_load"] == 1


def test_commands_take_as_long_as_they_need(start: StartService, server: Server) -> None:
    server.start()
    service = start(DATABASE_URL=server.url, DATABASE_STATEMENT_TIMEOUT="0.5").wait_until_up()
    slowly = "from django.db import connection; connection.cursor().execute('SELECT pg_sleep(1)')"
    assert service.manage("shell", "-c", slowly).returncode == 0


def ask_everything(service: Service) -> dict[str, tuple[int, str | None, str]]:
    """Status, Retry-After and type of what each call of the API is answered."""
    answers = {}
    for _, call, body in CALLS.values():
        method, path = re.sub(r"{\w+}", "1", call).split()
        with closing(http.client.HTTPConnection(*service.address, timeout=PATIENCE)) as connection:
            sent = json.dumps(filled_in(body, {"anna": 1, "bot": 1, "twin": 2}))
            connection.request(method.upper(), f"/api/v1{path}", sent, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answers[call] = (answer.status, answer.getheader("Retry-After"), answer.headers.get_content_type())
    return answers


def test_bots_are_told_to_come_back_while_the_database_is_away_and_lose_nothing(
    start: StartService, server: Server
) -> None:
    server.start()
    service = start(DATABASE_URL=server.url).wait_until_up()
    crowd = Bots(service.address, service.roster(operators=5, limit=20), total=1_000_000).start()
    wait_until(lambda: crowd.answered() > 50, "the bots are at work")

    server.stop()
    wait_until(lambda: len(crowd.others) > 50, "the bots are refused")
    meanwhile = ask_everything(service)
    server.start()
    before = crowd.answered()
    wait_until(lambda: crowd.answered() > before + 50, "the bots are at work again")
    crowd.stop()

    assert set(meanwhile.values()) == {(503, "1", "application/problem+json")}
    assert {(status, json.loads(problem)["status"]) for status, problem in crowd.others} == {(503, 503)}
    assert set(crowd.retry_after) == {"1"}
    assert (crowd.refused, crowd.dropped) == (0, 0)
    assert crowd.slowest < BOUND
    assert all_contact_ids(service.get) >= {contact["id"] for contact in crowd.contacts}
    assert service.manage("check_routing").returncode == 0


def wait_until_answered(contacts: list[int], count: int) -> None:
    wait_until(lambda: len(contacts) > count, f"{count} contacts are registered")


def test_a_killed_backend_loses_nothing_that_was_answered(start: StartService, server: Server) -> None:
    """kill -9 of one backend makes PostgreSQL restart all of them and recover."""
    server.start()
    service = start(DATABASE_URL=server.url).wait_until_up()
    source = service.roster(operators=10, limit=100)
    answered: list[int] = []
    enough = threading.Event()

    def bot() -> None:
        while not enough.is_set():
            with suppress(OSError, http.client.HTTPException):
                status, _, contact = register(service, source)
                if status == 201:
                    answered.append(contact["id"])

    bots = [threading.Thread(target=bot) for _ in range(4)]
    for thread in bots:
        thread.start()
    for part in (50, 100):
        wait_until_answered(answered, part)
        server.kill_a_backend()
    wait_until_answered(answered, len(answered) + 50)
    enough.set()
    for thread in bots:
        thread.join()

    stored = {contact for [contact] in server.ask("SELECT id FROM routing_contact")}
    assert set(answered) <= stored
    assert service.manage("check_routing").returncode == 0
