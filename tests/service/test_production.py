"""What deploy/ and compose.production.yaml promise. Neither Docker nor systemd runs here: the files are read."""

import json
import re
import subprocess
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from crm_router.wire import problems
from tests.service.dockerfile import read, sent_to_the_engine
from tests.service.running import PROJECT

pytestmark = pytest.mark.once

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "compose.production.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("crm-router:")]
UNITS = sorted((PROJECT / "deploy/systemd").glob("*.service"))

each_service = pytest.mark.parametrize("name", SERVICES)
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)


def test_the_documents_that_nginx_writes_are_shaped_like_the_services_own() -> None:
    text = (PROJECT / "deploy/nginx/crm-router.conf").read_text()
    documents = [json.loads(found) for found in re.findall(r"'(\{.*?\})'", text, re.DOTALL)]
    assert {document["status"] for document in documents} == {403, 413, 429, 500, 502, 503, 504}
    for document in documents:
        assert document == problems.problem(document["status"], document["code"], document["detail"])


def test_nobody_is_reached_from_outside_but_nginx() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    assert [name for name, service in SERVICES.items() if "outside" in service["networks"]] == ["nginx"]
    assert COMPOSE["networks"]["inside"]["internal"] is True


@pytest.mark.parametrize("name", OURS)
def test_who_is_believed_is_on_the_inner_network_and_keys_are_required(name: str) -> None:
    [network] = COMPOSE["networks"]["inside"]["ipam"]["config"]
    environment = SERVICES[name]["environment"]
    assert (environment["HTTPS"], environment["TRUSTED_PROXIES"]) == ("true", network["subnet"])
    assert "API_KEYS" not in environment  # required, unless somebody says otherwise


@each_service
def test_it_can_write_nowhere_and_has_no_more_rights_than_it_needs(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]
    assert ("cap_add" in SERVICES[name]) == (name not in OURS)


@each_service
def test_it_is_bounded_and_comes_back_by_itself(name: str) -> None:
    assert set(SERVICES[name]["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert SERVICES[name]["restart"] == ("no" if name == "migrations" else "unless-stopped")
    assert SERVICES[name]["logging"]["options"]


@each_service
def test_secrets_come_from_files_and_every_file_is_declared(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    words = {word for word in environment if re.search("PASSWORD|SECRET|DATABASE_URL", word)}
    assert all(word.endswith("_FILE") for word in words)
    for word in words:
        assert Path(environment[word]).name in SERVICES[name]["secrets"]
    assert set(SERVICES[name].get("secrets", [])) <= set(COMPOSE["secrets"])


@pytest.mark.parametrize("name", ["app-a", "app-b"])
def test_an_instance_starts_when_the_migrations_are_through(name: str) -> None:
    assert SERVICES[name]["depends_on"]["migrations"] == {"condition": "service_completed_successfully"}
    assert "command" not in SERVICES[name]  # what the image does by itself
    assert SERVICES[name]["healthcheck"]["test"][1:] == [*read().healthcheck, "/health/ready"]


def test_both_instances_are_the_same() -> None:
    assert SERVICES["app-a"] == SERVICES["app-b"]


@pytest.mark.parametrize("name", OURS)
def test_the_image_brings_what_is_run(name: str) -> None:
    command = " ".join(SERVICES[name].get("command", []))
    assert set(re.findall(r"manage\.py (\w+)", command)) <= set(get_commands())
    assert command.count("/opt/venv/bin/python") == command.count("manage.py")


def test_mounted_files_are_there() -> None:
    files = [config["file"] for config in COMPOSE["configs"].values()]
    files += [mount.split(":")[0] for mount in SERVICES["database"]["volumes"] if mount.startswith("./")]
    assert len(files) == 4
    assert all((PROJECT / file).is_file() for file in files)


def test_secrets_are_neither_committed_nor_sent_to_the_engine() -> None:
    assert all(secret["file"].startswith("secrets/") for secret in COMPOSE["secrets"].values())
    assert "secrets/" in (PROJECT / ".gitignore").read_text().split()
    assert not sent_to_the_engine("secrets/secret_key")


@pytest.mark.parametrize("place", ["systemd", "compose"])
def test_each_place_has_its_own_nginx_files(place: str) -> None:
    for name in ("upstream", "place"):
        assert (PROJECT / f"deploy/nginx/crm-router.{name}.{place}").is_file()


def test_the_database_has_a_connection_for_everybody() -> None:
    processes = int(re.search(r"\d+", SERVICES["app-a"]["environment"]["WEB_CONCURRENCY"])[0])  # type: ignore[index]
    instances = 2 * processes * (2 + 1)  # two threads and the sweeper
    conf = (PROJECT / "deploy/postgresql/postgresql.conf").read_text()
    assert int(re.search(r"^max_connections = (\d+)", conf, re.M)[1]) >= 2 * instances  # type: ignore[index]


def directives(unit: Path) -> RawConfigParser:
    parser = RawConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    return parser


@each_unit
def test_a_unit_has_only_the_rights_that_it_needs(unit: Path) -> None:
    service = directives(unit)["Service"]
    assert service["User"] == "crm-router"
    assert (service["ProtectSystem"], service["NoNewPrivileges"], service["CapabilityBoundingSet"]) == (
        "strict",
        "yes",
        "",
    )
    assert "MemoryMax" in service


@each_unit
def test_a_unit_runs_what_is_there(unit: Path) -> None:
    for line in re.findall(r"^ExecStart=/opt/crm-router/(.+)$", unit.read_text(), re.M):
        program, *arguments = line.split()
        if program.startswith("scripts/"):
            assert (PROJECT / program).is_file()
        else:
            assert arguments[1] in get_commands()


@pytest.mark.systemd
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in (PROJECT / "deploy/systemd").iterdir():
        there = (
            unit.read_text().replace("/opt/crm-router/scripts/", "/bin/true ").replace("/opt/crm-router/.venv", "/usr")
        )
        (tmp_path / unit.name).write_text(re.sub(r"/usr/bin/python ", "/bin/true ", there))
    units = sorted(str(file) for file in tmp_path.iterdir())
    said = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")
