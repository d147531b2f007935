import re
import stat
import sys
from io import StringIO
from pathlib import Path

import pytest

from crm_router.management.commands import prepare
from tests.service import database
from tests.service.conftest import StartService
from tests.service.own_postgresql import Server
from tests.service.running import PROJECT, Service, free_port, handed_over, run, wait_until

pytestmark = pytest.mark.service


@pytest.mark.once
def test_it_answers_and_says_where_everything_is(shared_service: Service) -> None:
    base = f"http://127.0.0.1:{shared_service.env['PORT']}"

    assert shared_service.get("/health") == (200, {"status": "ok"})
    assert shared_service.get("/docs")[0] == 200
    assert shared_service.get("/admin/")[0] == 302
    assert f"{base}/docs" in shared_service.output()
    assert f"{base}/admin/" in shared_service.output()
    assert "manage.py createsuperuser" in shared_service.output()


def test_it_says_which_database_it_uses_and_neither_user_nor_password(shared_service: Service) -> None:
    assert_it_says_which_database_it_uses_and_neither_user_nor_password(shared_service)


@pytest.mark.postgresql
def test_so_it_does_in_json(start: StartService) -> None:
    assert_it_says_which_database_it_uses_and_neither_user_nor_password(start(LOG_FORMAT="json").wait_until_up())


def assert_it_says_which_database_it_uses_and_neither_user_nor_password(service: Service) -> None:
    _, _, place = service.env["DATABASE_URL"].partition("://")
    name = place.rpartition("/")[2]
    assert re.search(rf"Database +\S+, .*{name}|with its database: \S+, .*{name}", service.output())
    assert service.env["DATABASE_URL"] not in service.output()
    user, at, _ = place.rpartition("@")
    assert not at or f"{user}@" not in service.output()


KINDS = {
    "ENCODING 'SQL_ASCII' LOCALE 'C'": "has the encoding SQL_ASCII",
    "ENCODING 'UTF8' LOCALE 'C'": "does not convert Russian letters to lower case",
    "ENCODING 'UTF8' LOCALE 'C.UTF-8'": "",
}


@pytest.mark.postgresql
def test_a_database_that_does_not_know_its_letters_is_warned_of(
    environment: dict[str, str], empty_server: Server
) -> None:
    empty_server.start()
    for number, (kind, said) in enumerate(KINDS.items()):
        empty_server.tell(f"CREATE DATABASE letters_{number} {kind} TEMPLATE template0")
        found = StringIO()
        with database.default_at(empty_server.url.removesuffix("postgres") + f"letters_{number}"):
            prepare.Command(stderr=found).warn_of_letters()
        assert said in found.getvalue(), kind
        assert bool(said) == bool(found.getvalue()), kind
    letters = {"DATABASE_URL": empty_server.url.removesuffix("postgres") + "letters_0"}
    done = run(sys.executable, "manage.py", "prepare", env=environment | letters)
    assert (done.returncode, "has the encoding SQL_ASCII" in done.stderr) == (0, True), "it is a warning only"


@pytest.mark.usefixtures("unprepared")
@pytest.mark.once
def test_a_start_with_prepared_makes_no_database(start: StartService) -> None:
    service = start("--prepared")
    service.wait_until_it_answers("/health/ready", 503)
    assert not Path(service.env["DATABASE_URL"].removeprefix("sqlite:///")).exists()


@pytest.mark.once
def test_an_empty_number_of_processes_is_as_good_as_none(tmp_path: Path) -> None:
    """gunicorn does not get it, and the settings take it for none: tests/service/test_https.py."""
    *_, last = handed_over("${WEB_CONCURRENCY-none}", tmp_path, {"WEB_CONCURRENCY": ""})
    assert last == "none"


@pytest.mark.once
def test_through_a_link_it_stays_where_that_led_when_it_started(tmp_path: Path) -> None:
    """An update moves the link (docs/operations.md), and must not change what the older instance loads later."""
    (tmp_path / "current").symlink_to(PROJECT)
    assert set(handed_over("$PWD", tmp_path, {}, script=tmp_path / "current/scripts/serve")) == {str(PROJECT)}


@pytest.mark.usefixtures("unprepared")
@pytest.mark.once
def test_two_first_starts_at_once_do_not_disturb_each_other_and_a_restart_keeps_data_and_secret_key(
    start: StartService,
) -> None:
    """The lock of this machine makes one wait. tests/crm_router/test_migrating.py has the one of the database."""
    one, other = start(), start(PORT=str(free_port()))
    assert one.wait_until_up().get("/api/v1/operators") == (200, []), "it starts empty"
    status, page = one.get("/nowhere")
    assert (status, page["code"]) == (404, "not_found"), "and not in debug"
    operator = one.post("/operators", {"name": "Анна", "max_load": 50})
    assert other.wait_until_up().get("/api/v1/operators") == (200, [operator])
    key = Path(one.env["DATA_DIR"]) / "secret_key"
    secret = key.read_text()
    assert one.stop() == 0

    again = start().wait_until_up()

    assert again.get(f"/api/v1/operators/{operator['id']}") == (200, operator)
    assert key.read_text() == secret
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


@pytest.mark.once
def test_the_demo_registers_a_hundred_contacts_and_goes_on_serving(start: StartService) -> None:
    service = start("--demo").wait_until_up()

    wait_until(lambda: "Every operator's load" in service.output(), "the demo has printed its result")

    assert "100 contacts" in service.output()
    path = wait_until(lambda: re.search(r"(/api/v1/events\S*)'", service.output()), "it prints how to watch")[1]
    assert {"contact.registered", "contact.assigned"} <= {event["type"] for event in service.get(path)[1]["events"]}
    output = wait_until(lambda: "createsuperuser" in service.output().splitlines()[-1] and service.output(), "it ends")
    assert " INFO " not in output, "the report is not among lines of the log"
    assert "/admin/" in output.splitlines()[-2]
    assert service.get("/health") == (200, {"status": "ok"})
    assert service.findings() == []
