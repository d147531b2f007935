"""Every command in docs/operations.md is run by a test, or the reason why it cannot be is given."""

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from tests.docs import documents

PAGE = documents.ROOT / "docs/operations.md"

RUN = {
    "sudo /usr/bin/python3 scripts/support/environment.py make .venv requirements.txt": "tests/service makes some",
    "sudo nginx -t": "tests/service/test_behind_nginx.py starts nginx with these files",
    "openssl rand -hex 32 > secrets/secret_key": "below",
    "openssl rand -hex 32 > secrets/database_password": "below",
    "openssl rand -hex 32 > secrets/metrics_token": "below",
    'echo "postgres://crm:$(cat secrets/database_password)@database:5432/crm" > secrets/database_url': "below",
    "mkdir -m 0755 secrets": "below",
    "chmod 0400 secrets/secret_key secrets/database_password secrets/metrics_token secrets/database_url": "below",
}
BEGIN_OF_THE_OTHERS = {
    "sudo apt-get ": "changes the machine",
    "sudo useradd ": "likewise",
    "sudo install ": "likewise",
    "sudo cp ": "likewise",
    "for folder in /etc/postgresql/": "likewise; tests/service/test_database_log.py takes these lines",
    "sudo chown ": "likewise",
    "sudo -u postgres ": "needs the machine's own PostgreSQL",
    "sudo systemctl ": "needs systemd as the first process; tests/service/test_production.py reads the units",
    "sudo nano ": "a person edits",
    "sudo rm -f /etc/nginx/": "changes the machine",
    "sudo git clone --branch TAG REPOSITORY ": "likewise",
    "umask 022": "there is nothing to show",
    "sudo openssl req ": "writes into /etc; tests/service/nginx.py makes such a certificate",
    "sudo certbot ": "needs a name that others see",
    "read -r -s ": "asks a person",
    "api=": "there is nothing to show",
    'curl --fail-with-body --header "Authorization: Bearer $key" --json ': "below",
    'sudo sed -n "s/^METRICS_TOKEN=//p" ': "changes the machine",
    "release=": "there is nothing to show",
    "sudo mkdir -p /opt/": "changes the machine",
    "sudo ln ": "below",
    "sudo mv ": "below",
    "readlink ": "below",
    "openssl rand -hex 32 | sudo tee secrets/": "as above, over a file that is there",
    'echo "postgres://crm:$(sudo cat ': "likewise",
    'echo "ALTER ROLE ': "needs a Docker engine",
    "sudo crm-router-run scripts/backup ": "tests/service/test_backup.py",
    'sudo crm-router-run env "DATABASE_URL=': "likewise",
    "sudo crm-router-run .venv/bin/python manage.py ": "below, and the tests of these commands",
    "cd ": "there is nothing to show",
    "sudo cat backups/FILE | docker compose ": "needs a Docker engine; tests/service/test_backup_in_compose.py",
    "docker compose ": "needs a Docker engine; tests/service/test_production.py reads the file",
    "timeout 120 sh -c 'until curl ": "needs the units; tests/service/test_behind_nginx.py updates in this very order",
}


def commands():
    """Without && and || at the end of a line."""
    lines = [line for block in documents.blocks(PAGE) if block.language == "bash" for line in block.text.splitlines()]
    return [line.removesuffix(" &&").removesuffix(" ||") for line in lines]


def test_every_command_is_run_by_some_test_or_cannot_be():
    unknown = [line for line in commands() if line not in RUN and not line.startswith(tuple(BEGIN_OF_THE_OTHERS))]
    assert unknown == []
    assert set(RUN) <= set(commands())


@pytest.mark.once
def test_the_secrets_for_compose_can_be_made_as_described(tmp_path):
    steps = [line for line in commands() if "secrets/" in line or line.startswith("mkdir")]
    steps = [line for line in steps if "sudo" not in line]
    subprocess.run(["sh", "-euc", "\n".join(steps)], cwd=tmp_path, check=True)
    password = (tmp_path / "secrets/database_password").read_text().strip()
    assert re.fullmatch("[0-9a-f]{64}", password)
    assert (tmp_path / "secrets/database_url").read_text() == f"postgres://crm:{password}@database:5432/crm\n"


def linking(heading, until):
    """The commands of a section that note, make and move the link, without sudo."""
    section = PAGE.read_text().partition(f"\n{heading}\n")[2].partition(f"\n{until}\n")[0]
    found = re.findall(r"^((?:sudo (?:ln|mv)|readlink) .*)", section, re.M)
    return [line.replace("sudo ", "") for line in found]


@pytest.mark.once
def test_an_update_moves_the_link_and_going_back_moves_it_back(tmp_path):
    for name in ("1", "2"):
        (tmp_path / "releases" / name).mkdir(parents=True)
    update = linking("## Upgrade", "With compose:")
    steps = {"1": linking("## Install with systemd", "## Install with compose"), "2": update}
    back = linking("With compose:", "### Searching for a part of a name")
    assert (len(update), len(back)) == (3, 2)
    for release, lines in [*steps.items(), ("1", back)]:
        script = "\n".join([f"release=/opt/crm-router/releases/{release}", *lines])
        subprocess.run(
            ["sh", "-euc", script.replace("/opt/crm-router", str(tmp_path))], check=True, capture_output=True
        )
        assert (tmp_path / "current").resolve().name == release


def test_units_and_commands_use_the_link_to_the_running_release():
    files = [*documents.ROOT.glob("deploy/systemd/*.service"), documents.ROOT / "deploy/crm-router-run"]
    paths = {path for file in files for path in re.findall(r"/opt/crm-router[\w./-]*", file.read_text())}
    assert len(paths) >= 4
    assert all(path.startswith("/opt/crm-router/current") for path in paths)


def test_a_new_password_reaches_every_service_that_has_the_old_one():
    services = yaml.safe_load((documents.ROOT / "deploy/compose.production.yaml").read_text())["services"]
    have_the_url = {name for name, service in services.items() if "database_url" in service.get("secrets", [])}
    section = PAGE.read_text().partition("\nThe database's password with compose.")[2].partition("\n## ")[0]
    recreated = " ".join(re.findall(r"--force-recreate(?: --wait)? (.*)", section)).split()
    assert set(recreated) == have_the_url - {"migrations"}  # they run on demand only


def units_in(command, text):
    return {unit for line in re.findall(rf"^sudo systemctl {command} (.*)", text, re.M) for unit in line.split()}


def test_a_restore_stops_every_unit_that_writes_before_the_database_changes():
    section = PAGE.read_text().partition("\n## Restore\n")[2].partition("\n## ")[0]
    before, _, after = section.partition("sudo nano ")
    readers = {unit.name for unit in documents.ROOT.glob("deploy/systemd/*") if "EnvironmentFile" in unit.read_text()}
    names = {name.partition(".")[0] for name in readers - {"crm-router@.service"}} | {
        "crm-router@8001",
        "crm-router@8002",
    }
    assert names <= units_in("stop", before)
    timers = {"crm-router-worker.timer", "crm-router-prune.timer"}
    assert {"crm-router@8001", "crm-router@8002"} | timers <= units_in("start", after)
    assert "systemctl restart" not in section


def test_sweeping_and_pruning_do_not_wait_for_each_other():
    """Each has a unit and a timer of its own, which the guide starts and stops together."""
    run = {
        unit.stem: re.findall(r"^ExecStart=.* manage.py (\w+)$", unit.read_text(), re.M)
        for unit in documents.ROOT.glob("deploy/systemd/crm-router-*.service")
    }
    assert (run["crm-router-worker"], run["crm-router-prune"]) == (["route_waiting"], ["prune"])
    for line in commands():
        timers = set(re.findall(r"crm-router-(worker|prune)\.timer", line))
        assert timers in (set(), {"worker", "prune"}), line
        assert ("crm-router-worker " in line) == ("crm-router-prune " in line), line


def test_both_set_ups_compare_everything_with_the_history_every_night():
    folder = documents.ROOT / "deploy"
    service = (folder / "systemd/crm-router-check.service").read_text()
    timer = (folder / "systemd/crm-router-check.timer").read_text()
    services = yaml.safe_load((folder / "compose.production.yaml").read_text())["services"]
    assert re.search(r"^ExecStart=.* manage.py check_routing --deep$", service, re.M)
    assert "OnFailure=crm-router-failed@%n.service" in service
    assert re.search(r"^OnCalendar=\*-\*-\* 04:00:00$", timer, re.M)
    assert services["check"]["command"][-4:] == ["check_routing", "--deep", "--loop", "86400"]


def test_every_wait_has_an_end():
    assert [line for line in commands() if "until " in line and not line.startswith("timeout ")] == []


def test_the_first_contact_is_registered_by_what_the_guide_sends(api):
    """With the ids of the answers in place of those that the guide shows."""
    section = PAGE.read_text().partition("\n### The first contact\n")[2].partition("\n## ")[0]
    answers: list[dict[str, Any]] = []
    for body, path in re.findall(r"--json '(.*)' \"\$api(/\S+)\"", section):
        ids = {"operator_id": answers[0]["id"], "source_id": answers[1]["id"]} if len(answers) > 1 else {}
        sent = {name: ids.get(name, value) for name, value in json.loads(body).items()}
        path = path.replace("/1/", f"/{ids.get('source_id')}/")
        answer = api.post(f"/api/v1{path}", sent)
        assert answer.status_code == 201, answer.json()
        answers.append(answer.json())
    assert answers[-1]["assignment"]["status"] == "assigned"


@pytest.mark.once
def test_the_settings_of_the_guide_make_sense_and_leave_nothing_off(tmp_path):
    for block in (block.text for block in documents.blocks(PAGE) if "ALLOWED_HOSTS" in block.text):
        given = dict(line.split("=", 1) for line in block.splitlines())
        given |= {"DATA_DIR": str(tmp_path), "DATABASE_URL": "sqlite:///x", "PATH": os.environ["PATH"]}
        ask = "from crm_router import settings as s; print(s.THROTTLE_PER_MINUTE > 0, len(s.TWO_FACTOR_ROLES) > 1)"
        result = subprocess.run(
            [sys.executable, "-c", ask], cwd=documents.ROOT, env=given, capture_output=True, text=True
        )
        assert (result.stdout, result.stderr) == ("True True\n", "")


def test_files_and_settings_that_it_names_exist():
    named = set(re.findall(r"(?<![\w/.-])((?:deploy|scripts|docs)/[\w@./-]+)", PAGE.read_text()))
    assert "deploy/nginx/crm-router.conf" in named
    assert [name for name in sorted(named) if not (documents.ROOT / name.rstrip("/.")).exists()] == []
    settings = set(re.findall(r"`([A-Z]+_[A-Z_]+)[`=]", PAGE.read_text()))
    assert settings <= set(documents.settings())


def test_the_search_indexes_made_later_are_those_of_the_migration():
    indexes = import_module("leads.migrations.0002_initial").INDEXES
    shown = dict(re.findall(r"^CREATE INDEX CONCURRENTLY (\w+) ON (.*);$", PAGE.read_text(), re.M))
    assert shown == indexes


def test_management_commands_that_it_names_exist():
    named = set(re.findall(r"manage\.py ([a-z]\w+)", PAGE.read_text()))
    assert named <= set(get_commands())


def test_every_command_runs_with_the_settings_of_the_service():
    bare = [line for line in commands() if re.match(r"(\.venv/|scripts/|[A-Z_]+=)", line)]
    assert bare == []
