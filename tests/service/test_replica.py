"""Reads that may be old go to a standby as long as it follows; everything else, and all else, goes to the primary."""

import re
import sys
from collections.abc import Iterator

import pytest

from tests.service.conftest import StartService
from tests.service.own_postgresql import Server
from tests.service.running import Service, run, wait_until

pytestmark = [pytest.mark.service, pytest.mark.postgresql]

TOKEN = "0123456789abcdef"
ON_STANDBY = re.compile(r"LOG:  (?:statement|execute [^:]*): (.*)")


@pytest.fixture
def standby(server: Server) -> Iterator[Server]:
    with server.make_standby() as standby:
        wait_until(lambda: server.ask("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'"), "it follows")
        yield standby


def run_in_shell(environment: dict[str, str], server: Server, standby: Server, code: str) -> str:
    """What the code prints in a process that has them as its databases."""
    urls = {"DATABASE_URL": server.url, "DATABASE_REPLICA_URL": f"{standby.url}?target_session_attrs=any"}
    bound = {"DATABASE_REPLICA_MAX_LAG": "2"}
    done = run(sys.executable, "manage.py", "shell", "-v0", "-c", code, env=environment | urls | bound)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def register(service: Service, source: int, *names: str) -> list[int]:
    return [
        service.post("/contacts", {"source_id": source, "lead_email": f"{name}@example.com"})["id"] for name in names
    ]


def registered(service: Service) -> int:
    """As the report says."""
    status, report = service.get("/api/v1/stats/report")
    assert status == 200, report
    number: int = report["total"]["registered"]
    return number


def reads(service: Service, outcome: str) -> float:
    _, metrics = service.call("GET", "/metrics", key=TOKEN)
    [number] = re.findall(rf'^crm_router_replica_reads_total{{outcome="{outcome}"}} (.*)$', metrics, re.M)
    return float(number)


def wait_for_replay(server: Server, standby: Server) -> None:
    [[written]] = server.ask("SELECT CAST(pg_current_wal_lsn() AS text)")
    wait_until(lambda: standby.ask(f"SELECT pg_last_wal_replay_lsn() >= '{written}'")[0][0], "all is replayed")


def log_statements(standby: Server) -> None:
    with (standby.folder / "data/postgresql.auto.conf").open("a") as conf:
        conf.write("log_statement = 'all'\n")
    standby.ask("SELECT pg_reload_conf()")
    wait_until(lambda: standby.ask("SHOW log_statement") == [("all",)], "it logs")


def statements_of_the_service(standby: Server) -> list[str]:
    ours = ("SHOW log_statement", "SELECT pg_reload_conf()")
    return [line for line in ON_STANDBY.findall(standby.log()) if line not in ours]


def test_reports_are_read_from_the_replica_and_nothing_else_is(
    start: StartService, server: Server, standby: Server
) -> None:
    urls = {"DATABASE_URL": server.url, "DATABASE_REPLICA_URL": standby.url, "DATABASE_REPLICA_MAX_LAG": "3600"}
    service = start(**urls, WEB_CONCURRENCY="1", METRICS_TOKEN=TOKEN).wait_until_up()
    log_statements(standby)
    source = service.roster(operators=2, limit=2)
    first, second, *_ = register(service, source, "anna", "boris", "vera", "gleb", "dina")
    for verb in ("accept", "resolve", "reopen", "reassign", "decline"):
        assert service.call("POST", f"/api/v1/contacts/{first}/{verb}", {})[0] in (200, 409), verb
    assert service.call("PATCH", f"/api/v1/contacts/{second}", {"is_resolved": True})[0] == 200
    assert service.call("PATCH", "/api/v1/operators/1", {"max_load": 50})[0] == 200
    assert service.call("PUT", f"/api/v1/sources/{source}/operators", [{"operator_id": 1, "weight": 3}])[0] == 200
    batch = {"contacts": [{"source_id": source, "lead_email": "egor@example.com"}]}
    assert service.call("POST", "/api/v1/contacts/batch", batch)[0] in (200, 201)
    for path in ("contacts", f"contacts/{first}", "leads", "leads/1/export", "operators", "queue", "changes", "events"):
        assert service.get(f"/api/v1/{path}")[0] == 200, path

    assert statements_of_the_service(standby) == []

    wait_for_replay(server, standby)
    assert registered(service) == 6
    asked = "\n".join(statements_of_the_service(standby))
    assert "routing_reporttally" in asked
    assert "routing_tally" not in asked
    assert service.get("/api/v1/stats/distribution")[0] == 200
    assert '"strategy" IS NOT NULL' in "\n".join(statements_of_the_service(standby))
    assert reads(service, "replica") == 2

    standby.ask("SELECT pg_wal_replay_pause()")
    register(service, source, "zoya")
    assert registered(service) == 6, "as it was"
    _, current = service.call("GET", "/api/v1/stats/report", cache_control="no-cache")
    assert current["total"]["registered"] == 7
    assert len(service.get("/api/v1/contacts")[1]["results"]) == 7
    assert len(service.call("GET", "/api/v1/contacts", cache_control="max-stale=3600")[1]["results"]) == 6
    assert len(service.call("GET", "/api/v1/contacts", cache_control="max-stale=0")[1]["results"]) == 7

    standby.stop()

    assert registered(service) == 7
    before = reads(service, "replica")
    assert reads(service, "unavailable") == 1
    assert service.get("/health/ready")[0] == 200
    standby.start()
    wait_until(lambda: registered(service) == 7 and reads(service, "replica") > before, "it is used again")
    assert "The replica is not used: it cannot be read: " in service.output()
    assert "The replica is used again" in service.output()


BEGIN = """
from django.db import connections
from core.db import replica
from operators.models import Operator

def ask(alias, statement):
    with connections[alias].cursor() as cursor:
        cursor.execute(statement)

def where():
    return replica.read(lambda: "replica" if replica.reading.get() else "primary")

def add(name):
    Operator.objects.create(name=name, max_load=1)

"""

PAUSED = """
add("Anna")
while where() != "replica":
    pass
ask("replica", "SELECT pg_wal_replay_pause()")
add("Boris")
while replica.read(Operator.objects.count) < 2:
    pass
print(where())
while not replica.standby.has_warned:  # until it is asked again
    where()
ask("replica", "SELECT pg_wal_replay_resume()")
while where() != "replica":
    pass
print("again")
"""


def test_a_replica_beyond_the_bound_is_not_read(environment: dict[str, str], server: Server, standby: Server) -> None:
    printed = run_in_shell(environment, server, standby, BEGIN + PAUSED)

    assert "primary\nagain\n" in printed
    assert re.search(r"The replica is not used: it is \d+ seconds behind", printed)


CANCELLED = """
add("Anna")
while where() != "replica":
    pass
called = []

def work():
    called.append("replica" if replica.reading.get() else "primary")
    if called[-1] == "primary":
        return Operator.objects.count()
    ask("replica", "BEGIN ISOLATION LEVEL REPEATABLE READ")
    ask("replica", "SELECT count(*) FROM operators_operator")
    ask("default", "UPDATE operators_operator SET name = 'Alla'")
    ask("default", "VACUUM operators_operator")
    while True:
        ask("replica", "SELECT count(*), pg_sleep(0.05) FROM operators_operator")

print(replica.read(work), called)
"""


def test_what_the_replica_cancels_is_read_from_the_primary(
    environment: dict[str, str], server: Server, standby: Server
) -> None:
    with (standby.folder / "data/postgresql.auto.conf").open("a") as conf:
        conf.write("max_standby_streaming_delay = 0\n")
    standby.ask("SELECT pg_reload_conf()")

    assert "1 ['replica', 'primary']" in run_in_shell(environment, server, standby, BEGIN + CANCELLED)


def test_a_database_that_is_no_standby_of_this_one_is_not_read(environment: dict[str, str], server: Server) -> None:
    server.start()
    printed = run_in_shell(environment, server, server, BEGIN + "print(where())")

    assert "primary" in printed.splitlines()
    assert "The replica is not used: it is no standby of the primary" in printed
