import stat
from pathlib import Path

import pytest

from tests.service.conftest import StartService
from tests.service.running import Service, free_port, wait_until

pytestmark = pytest.mark.service


def test_it_answers_and_says_where_everything_is(service: Service) -> None:
    base = f"http://127.0.0.1:{service.env['PORT']}"

    assert service.get("/health") == (200, {"status": "ok"})
    assert service.get("/docs")[0] == 200
    assert service.get("/admin/")[0] == 302
    assert f"{base}/docs" in service.output()
    assert f"{base}/admin/" in service.output()
    assert "manage.py createsuperuser" in service.output()
    assert service.env.get("DATABASE_URL", "-") not in service.output()  # it may hold a password


def test_it_starts_empty_and_not_in_debug(service: Service) -> None:
    assert service.get("/api/v1/operators") == (200, [])
    status, page = service.get("/nowhere")
    assert status == 404
    assert page["code"] == "not_found"


def test_an_empty_number_of_processes_is_as_good_as_none(start: StartService) -> None:
    assert start(WEB_CONCURRENCY="", WEB_THREADS="").wait_until_up().get("/health") == (200, {"status": "ok"})


def test_data_and_secret_key_survive_a_restart(start: StartService) -> None:
    first = start().wait_until_up()
    operator = first.post("/operators", {"name": "Анна", "max_load": 50})
    key = Path(first.env["DATA_DIR"]) / "secret_key"
    secret = key.read_text()
    assert first.stop() == 0

    second = start().wait_until_up()

    assert second.get(f"/api/v1/operators/{operator['id']}") == (200, operator)
    assert key.read_text() == secret
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_two_first_starts_at_once_do_not_disturb_each_other(start: StartService) -> None:
    one, other = start(), start(PORT=str(free_port()))

    one.wait_until_up().post("/sources", {"name": "Telegram Bot"})

    assert [source["name"] for source in other.wait_until_up().get("/api/v1/sources")[1]] == ["Telegram Bot"]


def test_the_demo_registers_a_hundred_contacts_and_goes_on_serving(start: StartService) -> None:
    service = start("--demo").wait_until_up()

    wait_until(lambda: "Every operator's load" in service.output(), "the demo has printed its result")

    assert "100 contacts" in service.output()
    assert service.get("/health") == (200, {"status": "ok"})
    assert service.manage("check_routing").returncode == 0
