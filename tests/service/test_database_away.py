"""PostgreSQL is not there at the start, goes away, takes too long: 503 meanwhile, and afterwards as if nothing was."""

import http.client
import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import psycopg
import pytest

from tests.api.conftest import filled_in
from tests.api.test_statements import CALLS
from tests.service.bots import Bots, all_contact_ids
from tests.service.conftest import StartService, prepared_server
from tests.service.own_postgresql import Server
from tests.service.running import PATIENCE, Service, run, wait_until

pytestmark = [pytest.mark.service, pytest.mark.postgresql]

BOUND = 30  # seconds that an answer may take, on a busy machine: the longest of DATABASE_..._TIMEOUT


@pytest.fixture(scope="module")
def server(prepared_cluster: Server) -> Iterator[Server]:
    """It is running, and each test leaves it so."""
    with prepared_server(prepared_cluster) as server:
        server.start()
        yield server


@pytest.fixture(scope="module")
def service(start_for_all: StartService, server: Server) -> Service:
    return start_for_all(DATABASE_URL=server.url)


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


@pytest.mark.parametrize("bound", ["DATABASE_LOCK_TIMEOUT", "DATABASE_STATEMENT_TIMEOUT"])
def test_a_statement_that_takes_too_long_is_a_503(start: StartService, server: Server, bound: str) -> None:
    service = start(DATABASE_URL=server.url, **{bound: "0.5"}).wait_until_up()
    source = service.roster(operators=1, limit=100)
    with psycopg.connect(server.url) as somebody:
        somebody.execute("SELECT 1 FROM operators_operator FOR UPDATE")

        status, retry_after, problem = register(service, source)

    assert (status, retry_after, problem["code"]) == (503, "1", "busy")
    assert problem["detail"] == "The database took too long. Please try again."
    assert register(service, source)[0] == 201
    newest = max(service.get("/api/v1/operators")[1], key=lambda operator: operator["id"])
    assert newest["current_load"] == 1


def test_commands_take_as_long_as_they_need(environment: dict[str, str], server: Server) -> None:
    env = environment | {"DATABASE_STATEMENT_TIMEOUT": "0.5"}
    slowly = "from django.db import connection; connection.cursor().execute('SELECT pg_sleep(1)')"
    assert run(sys.executable, "manage.py", "shell", "-v0", "-c", slowly, env=env).returncode == 0


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
    service: Service, server: Server
) -> None:
    source = service.roster(operators=5, limit=20)
    crowd = Bots(service.address, source, total=1_000_000, pause=0.05).start()
    wait_until(lambda: crowd.answered() > 20, "the bots are at work")

    server.stop()
    wait_until(lambda: len(crowd.others) > 20, "the bots are refused")
    status, retry_after, problem = register(service, source)
    meanwhile = ask_everything(service)
    ready, page = service.get("/health/ready")[0], service.get("/admin/login/")[0]
    server.start()
    before = crowd.answered()
    wait_until(lambda: crowd.answered() > before + 20, "the bots are at work again")
    crowd.stop()

    assert (status, retry_after, problem["code"]) == (503, "1", "unavailable")
    assert (ready, page in (200, 503)) == (503, True)
    assert service.wait_until_up()
    assert set(meanwhile.values()) == {(503, "1", "application/problem+json")}
    assert {(status, json.loads(problem)["status"]) for status, problem in crowd.others} == {(503, 503)}
    assert set(crowd.retry_after) == {"1"}
    assert (crowd.refused, crowd.dropped) == (0, 0)
    assert crowd.slowest < BOUND
    assert all_contact_ids(service.get) >= {contact["id"] for contact in crowd.contacts}
    assert service.findings() == []


def wait_until_answered(contacts: list[int], count: int) -> None:
    wait_until(lambda: len(contacts) > count, f"{count} contacts are registered")


def test_a_killed_backend_loses_nothing_that_was_answered(service: Service, server: Server) -> None:
    """kill -9 of one backend makes PostgreSQL restart all of them and recover."""
    source = service.roster(operators=10, limit=100)
    answered: list[int] = []
    enough = threading.Event()

    def bot() -> None:
        while not enough.wait(0.02):
            with suppress(OSError, http.client.HTTPException):
                status, _, contact = register(service, source)
                if status == 201:
                    answered.append(contact["id"])

    bots = [threading.Thread(target=bot) for _ in range(4)]
    for thread in bots:
        thread.start()
    for part in (20, 40):
        wait_until_answered(answered, part)
        server.kill_a_backend()
    wait_until_answered(answered, len(answered) + 20)
    enough.set()
    for thread in bots:
        thread.join()

    stored = {contact for [contact] in server.ask("SELECT id FROM routing_contact")}
    assert set(answered) <= stored
    assert service.findings() == []
