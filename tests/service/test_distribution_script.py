import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.service.conftest import StartService
from tests.service.running import PATIENCE, PROJECT, Service, free_port, run

pytestmark = [pytest.mark.service, pytest.mark.once]


def distribute(service: Service, *arguments: str) -> subprocess.CompletedProcess[str]:
    base = f"http://127.0.0.1:{service.env['PORT']}"
    return run("scripts/test_distribution.sh", *arguments, env=service.env | {"BASE_URL": base})


def contacts_of(name: str, output: str) -> int:
    """The table's third column: weight, then contacts."""
    found = re.search(rf"{name} +\d+ +(\d+)", output)
    assert found, output
    return int(found[1])


def test_it_makes_a_roster_when_there_is_none(service: Service) -> None:
    result = distribute(service)

    assert result.returncode == 0, result.stderr
    assert "No source has a roster." in result.stdout
    assert contacts_of("Анна", result.stdout) + contacts_of("Борис", result.stdout) == 100
    loads = {operator["name"]: operator["current_load"] for operator in service.get("/api/v1/operators")[1]}
    assert loads == {name: contacts_of(name, result.stdout) for name in ("Анна", "Борис")}


def test_it_takes_the_roster_that_is_there(service: Service) -> None:
    service.roster(operators=2, limit=3)

    result = distribute(service, "--count", "10")

    assert result.returncode == 0, result.stderr
    assert "10 contacts, 6 assigned, 4 waiting" in result.stdout
    assert result.stdout.count("3 of 3") == 2


def test_it_takes_the_source_that_is_named(shared_service: Service) -> None:
    shared_service.roster(operators=1, limit=100)
    empty = shared_service.post("/sources", {"name": "WhatsApp"})["id"]

    result = distribute(shared_service, "--source", str(empty), "--count", "3")

    assert f"WhatsApp (source {empty}): 3 contacts, 0 assigned, 3 waiting" in result.stdout


def test_an_unknown_source_is_said(shared_service: Service) -> None:
    result = distribute(shared_service, "--source", "999")

    assert result.returncode == 1
    assert "GET /sources/999 was answered with 404" in result.stderr


def test_a_service_that_is_not_up_is_said(environment: dict[str, str]) -> None:
    result = run("scripts/test_distribution.sh", env=environment | {"BASE_URL": f"http://127.0.0.1:{free_port()}"})

    assert result.returncode == 1
    assert result.stderr.startswith("Nobody answers at")


@pytest.fixture
def starting() -> Iterator[subprocess.Popen[bytes]]:
    """Stands for a service that does not answer yet."""
    with subprocess.Popen(["sleep", "infinity"]) as process:
        yield process
        process.kill()


def waiting(environment: dict[str, str], starting: subprocess.Popen[bytes]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(PROJECT / "scripts/test_distribution.sh"), "--while", str(starting.pid)],
        env=environment | {"BASE_URL": f"http://127.0.0.1:{environment['PORT']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_waits_for_a_service_that_is_starting(
    environment: dict[str, str], start: StartService, starting: subprocess.Popen[bytes]
) -> None:
    script = waiting(environment, starting)
    start()
    output, errors = script.communicate(timeout=PATIENCE)
    assert script.returncode == 0, errors
    assert "100 contacts, 100 assigned" in output


def test_it_waits_no_longer_than_the_process_lives(
    environment: dict[str, str], starting: subprocess.Popen[bytes]
) -> None:
    script = waiting(environment, starting)
    starting.kill()
    starting.wait()
    _, errors = script.communicate(timeout=PATIENCE)
    assert script.returncode == 1
    assert errors.startswith("Nobody answers at")


def test_a_process_id_that_is_none_is_refused(environment: dict[str, str]) -> None:
    result = run("scripts/test_distribution.sh", "--while", "me", env=environment)
    assert (result.returncode, result.stderr) == (1, "me is not a process id.\n")
