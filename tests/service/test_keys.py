"""Keys as the running service takes them, in all its processes."""

from pathlib import Path

import pytest

from tests.service import database
from tests.service.conftest import StartService
from tests.service.running import PROJECT, Service, handed_over, run
from tests.service.test_open_mode import LETS_IN

pytestmark = pytest.mark.service


MOST = 60  # calls of one key in a minute


@pytest.fixture(scope="module")
def guarded(start_for_all: StartService) -> Service:
    """Requires keys, and has several processes."""
    return start_for_all(API_KEYS="required", THROTTLE_PER_MINUTE=str(MOST), WEB_CONCURRENCY="2")


def statuses(service: Service, key: str) -> set[int]:
    """Of so many calls, each on a connection of its own, that every process has answered some."""
    return {service.call("GET", "/api/v1/queue", key=key)[0] for _ in range(30)}


def test_a_revocation_holds_in_every_process_at_once(guarded: Service) -> None:
    key = guarded.new_key()
    assert statuses(guarded, "") == {401}
    assert statuses(guarded, key) == {200}

    database.revoke_keys(guarded.env["DATABASE_URL"])

    assert statuses(guarded, key) == {401}
    assert key.split("_", 2)[2] not in guarded.output()


def test_the_throttle_counts_in_all_processes(guarded: Service) -> None:
    key = guarded.new_key()

    answers = [guarded.call("GET", "/api/v1/queue", key=key)[0] for _ in range(2 * MOST + 5)]

    assert answers.count(200) <= 2 * MOST  # at the most two minutes begin meanwhile
    assert answers.count(429) >= 5


@pytest.mark.once
def test_the_distribution_is_tried_with_a_key(guarded: Service) -> None:
    script = str(PROJECT / "scripts/test_distribution.sh")
    env = guarded.env | {"BASE_URL": f"http://127.0.0.1:{guarded.env['PORT']}"}

    refused = run(script, "--count", "5", env=env)
    done = run(script, "--count", "5", env=env | {"API_KEY": guarded.new_key()})

    assert refused.returncode == 1
    assert "manage.py create_api_key --management" in refused.stderr
    assert "5 contacts, 5 assigned" in done.stdout, done.stderr


@pytest.mark.once
def test_the_start_says_whether_keys_are_needed(guarded: Service, shared_service: Service) -> None:
    assert "create_api_key --management --name NAME" in guarded.output()
    assert "not required from this machine (API_KEYS=open)" in shared_service.output()
    assert LETS_IN not in guarded.output()


@pytest.mark.once
def test_on_every_other_address_keys_are_required_by_default(start: StartService) -> None:
    service = start(HOST="0.0.0.0").wait_until_up()

    assert service.get("/api/v1/operators")[0] == 401
    assert service.get("/health")[0] == 200


@pytest.mark.once
@pytest.mark.parametrize(
    ("more", "chosen"),
    [
        ({}, "open"),
        ({"HOST": "localhost"}, "open"),
        ({"API_KEYS": "required"}, "required"),
        ({"HOST": "0.0.0.0"}, ""),
        ({"ALLOWED_HOSTS": "127.0.0.1,crm.example.com"}, ""),
        ({"TRUSTED_PROXIES": "127.0.0.1"}, ""),
    ],
)
def test_on_this_machines_own_address_likewise_once_others_are_expected(
    tmp_path: Path, more: dict[str, str], chosen: str
) -> None:
    """What a start hands over to Python, where no setting is the same as `required`."""
    *_, of_gunicorn = handed_over("${API_KEYS-}", tmp_path, more)
    assert of_gunicorn == chosen
