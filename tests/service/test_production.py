"""What deploy/ and deploy/compose.production.yaml promise. Neither Docker nor systemd runs here: the files are read."""

import json
import re
import subprocess
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from core.api import problems
from tests.docs import documents
from tests.service.dockerfile import read, sent_to_the_engine
from tests.service.running import PROJECT

pytestmark = pytest.mark.once

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "deploy/compose.production.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("crm-router:")]
UNITS = sorted((PROJECT / "deploy/systemd").glob("*.service"))

# What of docs/settings.md is decided in the file itself, so that .env has no say.
DECIDED = {
    "API_KEYS",
    "HTTPS",
    "TRUSTED_PROXIES",
    "HOST",
    "PORT",
    "DATA_DIR",
    "STATIC_ROOT",
    "SWEEP_SECONDS",
    "DELIVER_IN_SERVICE",
    "MANAGE",
}
SECRETS = {"DATABASE_URL", "SECRET_KEY", "METRICS_TOKEN"}
SENTRY: dict[str, Any] = yaml.safe_load((PROJECT / "deploy/compose.sentry.yaml").read_text())

HOOK = PROJECT / "deploy/systemd/crm-router-failed@.service"

each_service = pytest.mark.parametrize("name", SERVICES)
each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
each_unit_of_ours = pytest.mark.parametrize(
    "unit", [unit for unit in UNITS if unit != HOOK], ids=lambda unit: unit.name
)


def test_the_documents_that_nginx_writes_are_shaped_like_the_services_own() -> None:
    text = (PROJECT / "deploy/nginx/crm-router.conf").read_text()
    documents = [json.loads(found) for found in re.findall(r"'(\{\"type\".*?\})'", text, re.DOTALL)]
    assert {document["status"] for document in documents} == {403, 413, 429, 500, 502, 503, 504}
    for document in documents:
        assert document == problems.problem_document(document["status"], document["code"], document["detail"])


def settings() -> set[str]:
    """All that the service reads, by docs/settings.md; the last of its tables is about scripts."""
    return set(documents.settings()) - {
        "VENV",
        "TEST_VENV",
        "TEST_DATABASE_URL",
        "CI",
        "CHROMIUM",
        "BASE_URL",
        "API_KEY",
    }


@pytest.mark.parametrize("name", OURS)
def test_every_setting_reaches_the_service_or_is_decided_on_purpose(name: str) -> None:
    assert SERVICES[name]["env_file"] == ".env"
    environment = SERVICES[name]["environment"]
    above = {name for name, value in environment.items() if value.startswith(f"${{{name}:")}  # as .env has it
    assert set(environment) - above == DECIDED | {f"{secret}_FILE" for secret in SECRETS}
    assert above | DECIDED | SECRETS <= settings()


def test_nobody_is_reached_from_outside_but_nginx() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]
    sends_webhooks = ["app-a", "app-b", "deliver"]  # an instance only when somebody tries one out
    outside = [name for name, service in SERVICES.items() if "outside" in service["networks"]]
    assert outside == [*sends_webhooks, "nginx"]
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_one_instance_by_itself_is_reached_from_this_machine_only() -> None:
    outside = {port for port in SERVICES["nginx"]["ports"] if not port.startswith("127.0.0.1:")}
    assert outside == {"80:80", "443:443"}
    conf = (PROJECT / COMPOSE["configs"]["instances"]["file"]).read_text()
    asked = dict(re.findall(r"^    (\d+) ([\w-]+):8000;", conf, re.M))
    assert list(asked.values()) == ["app-a", "app-b"]
    assert set(SERVICES["nginx"]["ports"]) - outside == {f"127.0.0.1:{port}:{port}" for port in asked}


def test_an_instance_knows_the_names_by_which_it_is_asked_for_metrics() -> None:
    """Through nginx on this machine, or by a Prometheus of the inner network."""
    _, *others = SERVICES["app-a"]["environment"]["ALLOWED_HOSTS"].split(",")
    assert others == ["127.0.0.1", "app-a", "app-b"]


@pytest.mark.parametrize("name", OURS)
def test_who_is_believed_is_on_the_inner_network_and_keys_are_required(name: str) -> None:
    [network] = COMPOSE["networks"]["inside"]["ipam"]["config"]
    environment = SERVICES[name]["environment"]
    assert (environment["HTTPS"], environment["TRUSTED_PROXIES"]) == ("true", network["subnet"])
    assert environment["API_KEYS"] == "required"


@each_service
def test_it_can_write_nowhere_and_has_no_more_rights_than_it_needs(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]
    assert ("cap_add" in SERVICES[name]) == (name in ("database", "nginx"))


@each_service
def test_it_is_bounded_and_comes_back_by_itself(name: str) -> None:
    assert set(SERVICES[name]["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert SERVICES[name]["restart"] == ("no" if name == "migrations" else "unless-stopped")
    assert SERVICES[name]["logging"]["options"]


@each_service
def test_secrets_come_from_files_and_every_file_is_declared(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    words = {word for word in environment if re.search("PASSWORD|SECRET|TOKEN|DSN|DATABASE_URL", word)}
    assert all(word.endswith("_FILE") for word in words)
    for word in words:
        assert Path(environment[word]).name in SERVICES[name]["secrets"]
    assert set(SERVICES[name].get("secrets", [])) <= set(COMPOSE["secrets"])


def test_sentry_is_told_by_all_of_ours_and_its_secret_is_a_file() -> None:
    assert sorted(SENTRY["services"]) == sorted(OURS)
    for name, service in SENTRY["services"].items():
        assert service["environment"] == {"SENTRY_DSN_FILE": "/run/secrets/sentry_dsn"}
        assert service["secrets"] == list(SENTRY["secrets"]) == ["sentry_dsn"]
        assert sorted([*SERVICES[name]["networks"], *service.get("networks", [])]) == ["inside", "outside"]


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
    assert len(files) == 6
    assert all((PROJECT / file).is_file() for file in files)


def test_nginx_serves_what_the_migrations_step_has_collected_and_changes_nothing() -> None:
    """The step runs before the instances of an update; it takes nothing away (tests/service/test_static_files.py)."""
    [(volume, shown)] = [mount.split(":") for mount in SERVICES["migrations"]["volumes"]]
    assert SERVICES["nginx"]["volumes"] == [f"{volume}:{shown}:ro"]
    place = (PROJECT / COMPOSE["configs"]["place"]["file"]).read_text()
    assert f"\nroot {shown};\n" in place
    assert SERVICES["migrations"]["environment"]["STATIC_ROOT"] == f"{shown}/static"
    assert f"install --directory --owner app --group app --mode 0755 {shown}" in read().all("RUN")[0]
    assert SERVICES["app-a"]["environment"]["STATIC_ROOT"] == read().env["STATIC_ROOT"], "its own, of its own version"


def test_the_backup_lies_where_nobody_deletes_it_with_the_database_and_its_age_is_its_health() -> None:
    backup = SERVICES["backup"]
    [mount] = backup["volumes"]
    assert (mount["type"], mount["source"], mount["bind"]) == ("bind", "./backups", {"create_host_path": False})
    assert "/backups/" in (PROJECT / ".gitignore").read_text().split()
    assert not sent_to_the_engine("backups/crm-router-1.dump")
    assert backup["entrypoint"] == ["sh", "/usr/local/bin/back-up", mount["target"]]
    assert backup["image"] == SERVICES["database"]["image"], "pg_dump is of the server's version"
    assert "-mmin -1560" in backup["healthcheck"]["test"][1]  # 26 hours


def test_secrets_are_neither_committed_nor_sent_to_the_engine() -> None:
    secrets = [*COMPOSE["secrets"].values(), *SENTRY["secrets"].values()]
    assert all(secret["file"].startswith("secrets/") for secret in secrets)
    assert "secrets/" in (PROJECT / ".gitignore").read_text().split()
    assert not sent_to_the_engine("secrets/secret_key")


@pytest.mark.parametrize("place", ["systemd", "compose"])
def test_each_place_has_its_own_nginx_files(place: str) -> None:
    for name in ("upstream", "place"):
        assert (PROJECT / f"deploy/nginx/crm-router.{name}.{place}").is_file()


def test_no_place_leaves_out_an_instance_that_has_failed_once() -> None:
    """It is back before it would be asked again, and in that moment the other one may go."""
    servers = {
        place: re.findall(r"^server .*", (PROJECT / f"deploy/nginx/crm-router.upstream.{place}").read_text(), re.M)
        for place in ("systemd", "compose")
    }
    assert [len(found) for found in servers.values()] == [2, 2]
    assert all(
        "max_fails=0" in server and "fail_timeout" not in server for found in servers.values() for server in found
    )


def nginx_servers() -> list[str]:
    conf = [(PROJECT / f"deploy/nginx/crm-router.{name}").read_text() for name in ("conf", "instances.compose")]
    return [block for text in conf for block in re.findall(r"^server \{.*?^\}", text, re.M | re.S)]


def test_each_server_of_nginx_has_the_log_that_quotes_nobody() -> None:
    assert len(nginx_servers()) == 3
    for server in nginx_servers():
        assert re.findall(r"^    access_log (.*)", server, re.M) == ["/var/log/nginx/access.log crm_router;"]
        assert re.findall(r"^    error_log (.*)", server, re.M) == ["/var/log/nginx/error.log crit;"]


def test_nothing_that_nginx_is_told_reaches_the_other_sites_of_the_machine() -> None:
    """What stands outside of a server is for all of them, unless it only makes something with a name of ours."""
    text = (PROJECT / "deploy/nginx/crm-router.conf").read_text()
    outside = re.sub(r"^(\w+ [^;{]*)\{.*?^\}", r"\1;", text, flags=re.M | re.S)
    words = re.findall(r"^(\w+) ", outside, re.M)
    assert {"upstream", "server", "limit_conn_zone"} <= set(words)
    assert set(words) <= {"upstream", "map", "server", "limit_conn_zone", "limit_req_zone", "log_format"}


def test_the_world_reaches_nginx_by_both_kinds_of_address() -> None:
    files = [PROJECT / f"deploy/nginx/crm-router.{name}" for name in ("conf", "place.systemd", "place.compose")]
    for file in files:
        plain = re.findall(r"^ *listen (\d.*);", file.read_text(), re.M)
        assert plain == re.findall(r"^ *listen \[::\]:(\d.*);", file.read_text(), re.M) != []


def test_the_database_has_a_connection_for_everybody() -> None:
    processes = int(re.search(r"\d+", SERVICES["app-a"]["environment"]["WEB_CONCURRENCY"])[0])  # type: ignore[index]
    instances = 2 * processes * (4 + 1)  # four threads and the sweeper
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


@each_unit_of_ours
def test_every_setting_reaches_a_unit_and_what_it_decides_itself_wins(unit: Path) -> None:
    """systemd lets a line of EnvironmentFile win over Environment, wherever they stand."""
    service = directives(unit)["Service"]
    assert service["EnvironmentFile"] == "/etc/crm-router/environment"
    assert "Environment" not in service
    decided = dict(re.findall(r" ([A-Z_]+)=(\S+)", service["ExecStart"]))
    here = {
        "HOST": "127.0.0.1",
        "PORT": "%i",
        "SWEEP_SECONDS": "0",
        "DELIVER_IN_SERVICE": "false",
        "API_KEYS": "required",
    }
    assert decided == (here if "@" in unit.name else {})


@each_unit_of_ours
def test_a_unit_runs_what_is_there(unit: Path) -> None:
    lines = re.findall(
        r"^ExecStart=(?:/usr/bin/env (?:[A-Z_]+=\S+ )+)?/opt/crm-router/current/(.+)$", unit.read_text(), re.M
    )
    assert lines
    for line in lines:
        program, *arguments = line.split()
        if program.startswith("scripts/"):
            assert (PROJECT / program).is_file()
        else:
            assert arguments[1] in get_commands()


@each_unit
def test_who_is_not_begun_anew_by_itself_tells_that_it_has_failed(unit: Path) -> None:
    told = directives(unit)["Unit"].get("OnFailure")
    begun_anew = directives(unit)["Service"].get("Restart") == "always"
    assert told == (None if begun_anew or unit == HOOK else "crm-router-failed@%n.service")


def test_who_tells_of_failures_runs_what_the_guide_writes_and_needs_no_settings() -> None:
    service = directives(HOOK)["Service"]
    program, told = service["ExecStart"].split()
    assert told == "%i"
    assert directives(HOOK)["Unit"]["ConditionFileIsExecutable"] == program
    assert f"sudo nano {program}\n" in (PROJECT / "docs/operations.md").read_text()
    assert "EnvironmentFile" not in service


@pytest.mark.systemd
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in (PROJECT / "deploy/systemd").iterdir():
        there = (
            unit.read_text()
            .replace("/opt/crm-router/current/scripts/", "/bin/true ")
            .replace("/opt/crm-router/current/.venv", "/usr")
        )
        there = there.replace("ExecStart=/etc/crm-router/on-failure", "ExecStart=/bin/true")
        (tmp_path / unit.name).write_text(re.sub(r"/usr/bin/python ", "/bin/true ", there))
    units = sorted(str(file) for file in tmp_path.iterdir())
    said = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")


@pytest.mark.systemd
@each_unit
def test_a_unit_is_exposed_no_more_than_it_must_be(unit: Path) -> None:
    """1.5 of 10: the network, which it serves or calls, weighs most of it. Left open, a unit has 9.2."""
    judged = ["systemd-analyze", "security", "--offline=yes", "--threshold=15", "--no-pager", str(unit)]
    said = subprocess.run(judged, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


def run_as_the_service(folder: Path, settings: str, *command: str) -> subprocess.CompletedProcess[str]:
    """deploy/crm-router-run with its paths led into the folder, and without becoming another user."""
    (folder / "environment").write_text(settings)
    (folder / "current").symlink_to(PROJECT)
    text = (PROJECT / "deploy/crm-router-run").read_text().replace("/etc/crm-router/", f"{folder}/")
    text = re.sub(
        r"^exec setpriv (--\S+ )+", "exec ", text.replace("/opt/crm-router/current", f"{folder}/current"), flags=re.M
    )
    return subprocess.run(["sh", "-c", text, "sh", *command], capture_output=True, text=True, check=False)


def test_a_command_runs_in_the_folder_and_with_the_settings_of_the_service(tmp_path: Path) -> None:
    lines = "# for people\nPHONE_REGION=KZ\n\nDATABASE_URL=postgres://%2Frun/crm?a=1&b=$HOME x\nHTTPS=true"
    said = run_as_the_service(tmp_path, lines, "sh", "-c", 'pwd; umask; echo "$PHONE_REGION $HTTPS $DATABASE_URL"')
    assert said.stdout.splitlines() == [str(PROJECT), "0077", "KZ true postgres://%2Frun/crm?a=1&b=$HOME x"]


def test_a_command_may_have_a_setting_of_its_own(tmp_path: Path) -> None:
    said = run_as_the_service(tmp_path, "PHONE_REGION=KZ\n", "env", "PHONE_REGION=DE", "sh", "-c", "echo $PHONE_REGION")
    assert said.stdout == "DE\n"


def test_quotes_which_systemd_would_take_off_are_refused(tmp_path: Path) -> None:
    said = run_as_the_service(tmp_path, 'DATA_DIR="/var/lib/crm-router"\n', "true")
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.endswith("values stand without quotes: DATA_DIR\n")


def test_space_around_a_line_is_no_part_of_it(tmp_path: Path) -> None:
    lines = "  PHONE_REGION=KZ \n\t; for people\n \n"
    said = run_as_the_service(tmp_path, lines, "sh", "-c", 'echo "($PHONE_REGION)"')
    assert (said.stdout, said.stderr) == ("(KZ)\n", "")


@pytest.mark.parametrize("line", ["DATABASE_URL", "export HTTPS=true", "DATABASE URL=x", "=x", "1ST=x", "HTTPS =true"])
def test_a_line_that_nobody_could_read_is_refused_and_its_value_not_shown(tmp_path: Path, line: str) -> None:
    said = run_as_the_service(tmp_path, f"PHONE_REGION=KZ\n{line}\n", "true")
    assert said.returncode == 1
    name = line.partition("=")[0]
    assert said.stderr == f"{tmp_path}/environment: this is no line of the form NAME=value: {name}\n"
