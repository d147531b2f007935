"""What stops a start, in one sentence and with exit code 1."""

import shutil
import socket
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from crm_router.management.commands import prepare
from tests.service.own_postgresql import Server
from tests.service.running import PROJECT, read_settings, run

pytestmark = [pytest.mark.service, pytest.mark.once]


def refusal(env: dict[str, str], *arguments: str) -> str:
    """The sentence with which a start fails."""
    [said] = refusals(env, *arguments)
    return said


def refusals(env: dict[str, str], *arguments: str) -> list[str]:
    result = run("scripts/serve", *arguments, env=env)
    assert result.returncode == 1, result
    assert result.stdout.removeprefix("Collecting static files (once) ...\n") == ""  # where this is the first start
    return result.stderr.strip().splitlines()


def invalid_settings(tmp_path: Path, **environment: str) -> list[str]:
    """The lines with which settings are refused, read by this process. They are those of a start: see below."""
    with pytest.raises(SystemExit) as stop:
        read_settings({"DATA_DIR": str(tmp_path)} | environment)
    return str(stop.value.code).splitlines()


def test_a_taken_port(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(environment["PORT"]))):
        assert f"Port {environment['PORT']} on 127.0.0.1 is taken" in refusal(environment)


def refused_address(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    """What `manage.py prepare` says of it, in this process, where no keys are required."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    said = StringIO()
    with pytest.raises(SystemExit, match=r"^1$"):
        prepare.Command(stderr=said).require_address()
    return said.getvalue()


def test_a_port_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused_address(monkeypatch, PORT="http") == "PORT=http is not a number from 1 to 65535.\n"


def test_a_host_that_is_not_this_machine(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.API_KEYS = "required"
    assert "Nobody can listen on 192.0.2.1" in refused_address(monkeypatch, HOST="192.0.2.1")


def test_an_address_that_others_reach_while_no_key_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refused_address(monkeypatch, HOST="0.0.0.0")

    assert said.startswith("API_KEYS=open on 0.0.0.0 would let everybody do everything who reaches it.")
    assert "API_KEYS_OPEN_ANYWHERE=true" in said


def test_gunicorn_alone_on_such_an_address(environment: dict[str, str]) -> None:
    conf = "python:crm_router.server.gunicorn_conf"
    command = [sys.executable, "-m", "gunicorn", "-c", conf, "--bind", f"0.0.0.0:{environment['PORT']}"]

    result = run(*command, env=environment | {"API_KEYS": "open"})

    assert result.returncode == 1
    assert "API_KEYS=open on 0.0.0.0 would let everybody do everything" in result.stderr


def test_a_setting_of_keys_that_is_none(tmp_path: Path) -> None:
    _, said = invalid_settings(tmp_path, API_KEYS="maybe")
    assert said.startswith("API_KEYS: ")


@pytest.mark.parametrize("value", ["0", "abc"])
def test_a_number_of_processes_that_is_none(tmp_path: Path, value: str) -> None:
    _, said = invalid_settings(tmp_path, WEB_CONCURRENCY=value)

    assert said == f"WEB_CONCURRENCY: {value} is not a number from 1 to 64."


def test_settings_that_make_no_sense_have_a_line_each(environment: dict[str, str]) -> None:
    first, *said = refusals(environment | {"WEB_CONCURRENCY": "0", "API_KEYS": "maybe"})
    assert first == "Invalid settings:"
    assert [line.partition(":")[0] for line in said] == ["API_KEYS", "WEB_CONCURRENCY"]


@pytest.mark.parametrize("replica", ["sqlite:////tmp/replica.sqlite3", "postgres://127.0.0.1/leads"])
def test_sqlite_has_no_replicas(tmp_path: Path, replica: str) -> None:
    on_sqlite = {"DATABASE_URL": "sqlite:////tmp/leads.sqlite3", "DATABASE_REPLICA_URL": replica}
    _, said = invalid_settings(tmp_path, **on_sqlite)
    assert said.startswith("DATABASE_REPLICA_URL")
    assert said.endswith("SQLite has no replicas.")


def test_contradictions_have_a_line_each(tmp_path: Path) -> None:
    _, *said = invalid_settings(tmp_path, HTTPS="true", DEBUG="true")
    assert [line.partition(" ")[0] for line in said] == ["HTTPS=true", "HTTPS=true"]


def test_a_setting_that_was_replaced(tmp_path: Path) -> None:
    _, said = invalid_settings(tmp_path, QUEUE_BURST="2")
    assert said.startswith("QUEUE_BURST does not exist any more. Remove it, and set QUEUE_PACE")


def test_a_folder_of_data_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    [said] = invalid_settings(tmp_path / "file/data")
    assert said == f"The secret key cannot be stored in DATA_DIR ({tmp_path}/file/data): Not a directory."


def test_a_folder_of_static_files_that_cannot_be_written(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = run("scripts/serve", env=environment | {"STATIC_ROOT": f"{tmp_path}/file/static"})
    assert said.returncode == 1
    static = f"STATIC_ROOT ({tmp_path}/file/static)"
    assert said.stderr == f"The static files cannot be collected in {static}: Not a directory.\n"


def test_a_demo_whose_database_cannot_be_reached(environment: dict[str, str]) -> None:
    nowhere = {"DATABASE_URL": "postgres://someone:secret@127.0.0.1:1/leads"}

    result = run("scripts/serve", "--demo", env=environment | nowhere)

    assert result.returncode == 1
    assert result.stderr.startswith("The database leads on 127.0.0.1:1 cannot be reached")
    assert result.stderr.endswith("--demo requires the database.\n")
    assert "secret" not in result.stderr


def test_a_database_that_is_not_there_although_its_server_is(environment: dict[str, str], empty_server: Server) -> None:
    empty_server.start()
    elsewhere = {"DATABASE_URL": empty_server.url.removesuffix("postgres") + "nowhere"}

    said = run("scripts/serve", "--demo", env=environment | elsewhere)

    assert said.returncode == 1
    assert said.stderr.startswith("The database nowhere on 127.0.0.1")
    assert 'database "nowhere" does not exist. Waiting does not help' in said.stderr


def test_a_file_that_is_no_database(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear customer, " * 100)

    said = refusal(environment | {"DATABASE_URL": f"sqlite:///{tmp_path}/letter"})

    assert "letter cannot be reached: file is not a database" in said


def test_a_folder_that_cannot_be_made(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert "cannot be reached" in refusal(environment | {"DATABASE_URL": f"sqlite:///{tmp_path}/file/db.sqlite3"})


def test_an_unknown_argument(environment: dict[str, str]) -> None:
    assert refusal(environment, "--dmeo") == "scripts/serve: unknown option --dmeo (expected --demo or --prepared)."


def only_python(kind: str, environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment in which python3 is of this kind, and nothing is installed yet."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "sh", "dirname", "env"):
        (programs / name).symlink_to(shutil.which(name) or name)
    pythons = f"{PROJECT}/tests/service/pythons/{kind}:" if kind else ""
    return environment | {"PATH": f"{pythons}{programs}", "VENV": str(tmp_path / "venv")}


def test_a_python_that_is_too_old(environment: dict[str, str], tmp_path: Path) -> None:
    assert "Python is too old: Python 3.9.2." in refusal(only_python("old", environment, tmp_path))


def test_a_python_without_venv(environment: dict[str, str], tmp_path: Path) -> None:
    assert "apt-get install python3-venv" in refusal(only_python("bare", environment, tmp_path))


def test_no_python(environment: dict[str, str], tmp_path: Path) -> None:
    assert refusal(only_python("", environment, tmp_path)).startswith("Python was not found.")


def test_of_two_pythons_of_one_version_the_systems_is_taken(tmp_path: Path) -> None:
    """Or the one that is first on the path, if the system has none that will do."""
    versions = ("python3.13", "python3.12", "python3.11")
    found = (path for name in versions if (path := Path("/usr/bin") / name).exists())
    system = next(
        (path for path in found if run(str(path), "-c", "import ensurepip, venv", env={}).returncode == 0), None
    )
    first = tmp_path / (system.name if system else "python3.11")
    first.write_text("#!/bin/sh\necho good\n")
    first.chmod(0o755)
    command = [shutil.which("bash") or "bash", "-c", ". scripts/support/environment.sh; find_python"]
    assert run(*command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}).stdout == f"{system or first}\n"
    assert run(*command, env={"PATH": str(tmp_path)}).stdout == f"{first}\n"


@pytest.mark.parametrize(
    ("name", "value", "package"),
    [
        ("SENTRY_DSN", "https://public@sentry.example.com/1", "sentry"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", "opentelemetry"),
    ],
)
def test_a_package_that_is_asked_for_and_not_there(
    environment: dict[str, str], tmp_path: Path, name: str, value: str, package: str
) -> None:
    """A module that says it is missing hides the one that the tests' environment has."""
    module = "sentry_sdk" if package == "sentry" else package
    (tmp_path / f"{module}.py").write_text(f"raise ModuleNotFoundError(name={module!r})")
    said = refusal(environment | {name: value, "PYTHONPATH": str(tmp_path)})
    missing, _, install = said.partition(" is not installed. Run: ")
    assert missing == f"{name} is set, but {module}"
    assert install.endswith(f"python -m pip install --require-hashes -r requirements/{package}.txt")
