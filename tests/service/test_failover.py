"""The primary is killed under load and its synchronous standby promoted: nothing that was answered is lost or doubled.

scripts/failover has more: hosts that are cut off and come back, packets that vanish, a standby that is gone.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.bots import PersistentBots, all_contact_ids
from tests.service.conftest import StartService
from tests.service.own_postgresql import Server, with_programs
from tests.service.running import Service, run, wait_until

pytestmark = [pytest.mark.service, pytest.mark.postgresql]


@pytest.fixture
def standby(server: Server) -> Iterator[Server]:
    """Confirms each commit of the server."""
    with server.make_standby() as standby:
        server.tell("ALTER SYSTEM SET synchronous_standby_names = '*'")
        server.tell("SELECT pg_reload_conf()")
        wait_until(lambda: server.ask("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"), "it confirms")
        yield standby


@pytest.fixture
def url(server: Server, standby: Server) -> str:
    """Of both, the standby first."""
    return f"postgres://postgres@127.0.0.1:{standby.port},127.0.0.1:{server.port}/postgres"


@pytest.fixture
def service(start: StartService, url: str) -> Service:
    return start("--prepared", DATABASE_URL=url, DATABASE_COMMIT_TIMEOUT="1", DATABASE_LOCK_TIMEOUT="1").wait_until_up()


def test_nothing_is_lost_or_doubled_when_the_primary_is_killed(
    service: Service, server: Server, standby: Server
) -> None:
    source = service.roster(operators=5, limit=20)
    crowd = PersistentBots(service.address, source, total=1_000_000).start()
    wait_until(lambda: crowd.answered() > 20, "the bots are at work")

    server.kill()
    crowd.pause = 0.1
    wait_until(lambda: len(crowd.others) > 5, "the bots are refused")
    assert service.wait_until_it_answers("/health/ready", 503)["code"] == "database_read_only", "by the standby"
    standby.tell("SELECT pg_promote()")

    answered = crowd.answered()
    wait_until(lambda: crowd.answered() > answered + 20, "the new primary takes contacts")
    crowd.stop()
    assert {status for status, _ in crowd.others} <= {503}
    assert len(set(crowd.made.values())) == len(crowd.made), "two messages are one contact"
    assert all_contact_ids(service.get) == set(crowd.made.values())
    assert service.get("/health/ready")[0] == 200
    assert service.findings() == []


def test_a_commit_that_no_standby_confirms_is_a_503_until_it_is_back(
    service: Service, server: Server, standby: Server
) -> None:
    """And no answer is made of it: neither to the same key again, nor to anybody who reads."""
    source = service.roster(operators=1, limit=20)
    anna, boris = ({"source_id": source, "lead_email": f"{name}@example.com"} for name in ("anna", "boris"))
    status, earlier = service.call("POST", "/api/v1/contacts", boris, idempotency_key="key-of-boris")
    assert status == 201
    standby.kill()

    answers = [service.call("POST", "/api/v1/contacts", anna, idempotency_key="key-of-anna") for _ in range(2)]
    again = service.call("POST", "/api/v1/contacts", boris, idempotency_key="key-of-boris")

    assert [status for status, _ in answers] == [503, 503]
    assert again[0] == 503, "a repetition is confirmed as well: after a crash the standby might not have it"
    assert all_contact_ids(service.get) == {earlier["id"]}
    assert service.wait_until_it_answers("/health/ready", 503)["code"] == "database_waits_for_standby"
    standby.start()
    service.wait_until_up()
    status, contact = service.call("POST", "/api/v1/contacts", anna, idempotency_key="key-of-anna")
    assert (status, all_contact_ids(service.get)) == (201, {earlier["id"], contact["id"]})


def test_of_two_primaries_the_former_one_is_left_alone(
    environment: dict[str, str], server: Server, standby: Server, url: str
) -> None:
    """Nobody has told it, and it stands first in the address."""
    standby.tell("SELECT pg_promote()")
    [first, second] = url.removesuffix("/postgres").partition("@")[2].split(",")
    env = environment | {"DATABASE_URL": f"postgres://postgres@{second},{first}/postgres"}

    made = run(sys.executable, "manage.py", "create_api_key", "--management", "--name", "office", env=env)

    assert made.returncode == 0, made.stderr
    assert standby.ask("SELECT name FROM access_apikey") == [("office",)]
    assert server.ask("SELECT name FROM access_apikey") == []


def test_backups_are_those_of_the_primary(environment: dict[str, str], url: str, tmp_path: Path) -> None:
    """The standby stands first. Both the script and that of compose read the address."""
    env = with_programs(environment | {"DATABASE_URL": url})
    (tmp_path / "url").write_text(url.replace("postgres@", "postgres:secret@"))
    (tmp_path / "backups").mkdir()

    made = run("scripts/backup", str(tmp_path / "backups"), env=env)
    in_compose = run(
        "sh",
        "deploy/postgresql/back-up",
        str(tmp_path / "backups"),
        "now",
        env=env | {"DATABASE_URL_FILE": str(tmp_path / "url")},
    )

    assert (made.returncode, made.stderr) == (0, "")
    assert (in_compose.returncode, in_compose.stderr) == (0, "")
    assert len(list((tmp_path / "backups").glob("*.dump"))) == 2
