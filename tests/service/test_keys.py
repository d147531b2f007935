"""Keys as the running service takes them, in all its processes."""

import pytest

from tests.service.conftest import StartService
from tests.service.running import PROJECT, Service, run

pytestmark = pytest.mark.service

REVOKE = "from access import keys; from access.models import ApiKey; keys.revoke_key(key_id=ApiKey.objects.get().pk)"


@pytest.fixture
def guarded(start: StartService) -> Service:
    """Requires keys, and has several processes where that is what it does best."""
    return start(API_KEYS="required", THROTTLE_PER_MINUTE="1000", WEB_CONCURRENCY="2").wait_until_up()


def new_key(service: Service, *arguments: str) -> str:
    made = service.manage("create_api_key", "--name", "Test", *arguments)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def statuses(service: Service, key: str) -> set[int]:
    """Of so many calls, each on a connection of its own, that every process has answered some."""
    return {service.call("GET", "/api/v1/queue", key=key)[0] for _ in range(30)}


def test_a_revocation_holds_in_every_process_at_once(guarded: Service) -> None:
    key = new_key(guarded, "--management")
    assert statuses(guarded, "") == {401}
    assert statuses(guarded, key) == {200}

    assert guarded.manage("shell", "-c", REVOKE).returncode == 0

    assert statuses(guarded, key) == {401}
    assert key.split("_", 2)[2] not in guarded.output()


def test_the_throttle_counts_in_all_processes(start: StartService) -> None:
    service = start(API_KEYS="required", THROTTLE_PER_MINUTE="20", WEB_CONCURRENCY="2").wait_until_up()
    key = new_key(service, "--management")

    answers = [service.call("GET", "/api/v1/queue", key=key)[0] for _ in range(45)]

    assert answers.count(200) <= 40  # at the most two minutes begin meanwhile
    assert answers.count(429) >= 5


@pytest.mark.once
def test_the_distribution_is_tried_with_a_key(guarded: Service) -> None:
    script = str(PROJECT / "scripts/test_distribution.sh")
    env = guarded.env | {"BASE_URL": f"http://127.0.0.1:{guarded.env['PORT']}"}

    refused = run(script, "--count", "5", env=env)
    done = run(script, "--count", "5", env=env | {"API_KEY": new_key(guarded, "--management")})

    assert refused.returncode == 1
    assert "manage.py create_api_key --management" in refused.stderr
    assert "5 contacts, 5 assigned" in done.stdout, done.stderr


@pytest.mark.once
def test_the_start_says_whether_keys_are_needed(guarded: Service, shared_service: Service) -> None:
    assert "create_api_key --management --name NAME" in guarded.output()
    assert "not required from this machine (API_KEYS=open)" in shared_service.output()


@pytest.mark.once
def test_on_every_other_address_keys_are_required_by_default(start: StartService) -> None:
    service = start(HOST="0.0.0.0").wait_until_up()

    assert service.get("/api/v1/operators")[0] == 401
    assert service.get("/health")[0] == 200


@pytest.mark.once
@pytest.mark.parametrize("more", [{"ALLOWED_HOSTS": "127.0.0.1,crm.example.com"}, {"TRUSTED_PROXIES": "127.0.0.1"}])
def test_on_this_machines_own_address_likewise_once_others_are_expected(
    start: StartService, more: dict[str, str]
) -> None:
    assert start(**more).wait_until_up().get("/api/v1/operators")[0] == 401
