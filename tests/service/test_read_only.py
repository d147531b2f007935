"""A PostgreSQL that can be read and not written, or has tables of another version: 503, and on by itself."""

import sys
from collections.abc import Iterator

import pytest

from tests.service.conftest import StartService, prepared_server
from tests.service.own_postgresql import Server
from tests.service.running import Service, run, wait_until

pytestmark = [pytest.mark.service, pytest.mark.postgresql]

ANNA = {"lead_email": "anna@example.com"}


@pytest.fixture(scope="module")
def server(prepared_cluster: Server) -> Iterator[Server]:
    """It is running, and each test leaves it as it was."""
    with prepared_server(prepared_cluster) as server:
        server.start()
        yield server


@pytest.fixture(scope="module")
def service(start_for_all: StartService, server: Server) -> Service:
    return start_for_all(DATABASE_URL=server.url, METRICS_TOKEN="0123456789abcdef")


def register(service: Service, source: int) -> tuple[int, str | None]:
    status, answer = service.call("POST", "/api/v1/contacts", {"source_id": source, **ANNA})
    return status, answer.get("code")


def assert_whole(service: Service) -> None:
    assert service.findings() == []
    assert service.get("/health/ready")[0] == 200


def test_a_database_that_ran_full_at_its_host_is_a_503_and_ready_says_why(service: Service, server: Server) -> None:
    """Managed databases are switched so before their disk is full."""
    source = service.roster(operators=1, limit=100)
    server.tell("ALTER SYSTEM SET default_transaction_read_only = on")
    server.tell("SELECT pg_reload_conf()")
    wait_until(lambda: register(service, source)[0] != 201, "the setting is known")

    answers = [register(service, source) for _ in range(20)]

    assert set(answers) == {(503, "read_only")}
    assert service.get("/health")[0] == 200
    assert service.wait_until_it_answers("/health/ready", 503)["code"] == "database_read_only"
    assert "\ncrm_router_ready 0.0" in service.call("GET", "/metrics", key="0123456789abcdef")[1]
    server.tell("ALTER SYSTEM RESET default_transaction_read_only")
    server.tell("SELECT pg_reload_conf()")
    service.wait_until_up()
    assert register(service, source) == (201, None)
    assert_whole(service)


def test_commands_say_so_in_a_sentence(environment: dict[str, str], server: Server) -> None:
    env = environment | {"DATABASE_URL": f"{server.url}?options=-c%20default_transaction_read_only%3Don"}
    done = run(sys.executable, "manage.py", "route_waiting", env=env)
    assert done.returncode == 1
    assert done.stderr.endswith("session is read-only\n")
    done = run(sys.executable, "manage.py", "create_api_key", "--management", "--name", "office", env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The database did not do its part: ")
    assert done.stderr.endswith("session is read-only\n")
    assert done.stderr.count("\n") == 1


def test_tables_of_another_version_are_a_503(service: Service, server: Server) -> None:
    source = service.roster(operators=1, limit=100)
    for column in ("leads_lead.name", "routing_contact.message", "operators_operator.max_load"):
        table, name = column.split(".")
        server.tell(f"ALTER TABLE {table} RENAME COLUMN {name} TO renamed")

        answers = {register(service, source) for _ in range(5)}

        assert answers == {(503, "schema")}, column
        server.tell(f"ALTER TABLE {table} RENAME COLUMN renamed TO {name}")
        assert register(service, source) == (201, None)
    assert_whole(service)
