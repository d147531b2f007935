"""The host of PostgreSQL vanishes without a word: requests end with 503 instead of waiting for the system's time-outs.

Without the bounds of DATABASE_NETWORK_TIMEOUT each of these tests hangs until its own time-out.
"""

import threading
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from tests import links
from tests.service.conftest import StartService
from tests.service.lost_host import Host
from tests.service.own_postgresql import Server
from tests.service.running import Service, wait_until

pytestmark = [pytest.mark.service, pytest.mark.postgresql, pytest.mark.network]

WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest.fixture
def host(server: Server) -> Iterator[Host]:
    server.start()
    with links.changing():
        host = Host(server.port)
        yield host
        host.destroy()


@pytest.fixture
def service(start: StartService, host: Host) -> Service:
    url = f"postgres://postgres@{host.address[0]}:{host.address[1]}/postgres"
    return start(DATABASE_URL=url, WEB_CONCURRENCY="1", WEB_THREADS="4").wait_until_up()


def register(service: Service, source: int) -> tuple[int, str | None]:
    status, answer = service.call("POST", "/api/v1/contacts", {"source_id": source, "lead_email": "anna@example.com"})
    return status, answer.get("code")


def test_a_request_that_is_sent_to_nobody_is_a_503(service: Service, host: Host) -> None:
    source = service.roster(operators=1, limit=100)
    assert register(service, source)[0] == 201
    host.vanish()

    answers = [register(service, source) for _ in range(3)]

    assert set(answers) == {(503, "unavailable")}
    assert service.get("/health")[0] == 200
    host.come_back()
    service.wait_until_up()
    assert register(service, source)[0] == 201
    assert service.findings() == []


def test_so_is_one_whose_answer_never_comes(service: Service, server: Server, host: Host) -> None:
    """Everything that was sent has arrived: only keepalives find out."""
    source = service.roster(operators=1, limit=100)
    answers: list[tuple[int, str | None]] = []
    asking = threading.Thread(target=lambda: answers.append(register(service, source)))
    with closing(psycopg.connect(server.url)) as somebody:
        somebody.execute("SELECT 1 FROM operators_operator FOR UPDATE")
        asking.start()
        wait_until(lambda: server.ask(WAITING), "the request waits for a lock")
        host.vanish()
        asking.join()

    assert answers == [(503, "unavailable")]
