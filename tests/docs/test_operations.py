"""Every command in docs/operations.md is run by a test, or it is said why none can."""

import re
import subprocess

import pytest
from django.core.management import get_commands

from tests.docs import readme

PAGE = readme.ROOT / "docs/operations.md"

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
    "sudo git pull": "likewise",
    "sudo crm-router-run scripts/backup ": "tests/service/test_backup.py",
    "sudo crm-router-run env DATABASE_URL=": "likewise",
    "sudo crm-router-run .venv/bin/python manage.py ": "below, and the tests of these commands",
    "cd ": "there is nothing to show",
    "sudo cat backups/FILE | docker compose ": "needs a Docker engine; tests/service/test_backup_in_compose.py",
    "docker compose ": "needs a Docker engine; tests/service/test_production.py reads the file",
    "until curl ": "needs the units; tests/service/test_behind_nginx.py updates in this very order",
}


def commands():
    return [line for block in readme.blocks(PAGE) if block.language == "bash" for line in block.text.splitlines()]


def test_every_command_is_run_by_some_test_or_cannot_be():
    unknown = [line for line in commands() if line not in RUN and not line.startswith(tuple(BEGIN_OF_THE_OTHERS))]
    assert unknown == []
    assert set(RUN) <= set(commands())


@pytest.mark.once
def test_the_secrets_for_compose_can_be_made_as_described(tmp_path):
    steps = [line for line in commands() if "secrets/" in line or line.startswith("mkdir")]
    steps = [line for line in steps if not line.startswith("sudo")]
    subprocess.run(["sh", "-euc", "\n".join(steps)], cwd=tmp_path, check=True)
    password = (tmp_path / "secrets/database_password").read_text().strip()
    assert re.fullmatch("[0-9a-f]{64}", password)
    assert (tmp_path / "secrets/database_url").read_text() == f"postgres://crm:{password}@database:5432/crm\n"


def test_files_and_settings_that_it_names_are_there():
    named = set(re.findall(r"(?<![\w/.-])((?:deploy|scripts|docs)/[\w@./-]+)", PAGE.read_text()))
    assert "deploy/nginx/crm-router.conf" in named
    assert [name for name in sorted(named) if not (readme.ROOT / name.rstrip("/.")).exists()] == []
    settings = set(re.findall(r"`([A-Z]+_[A-Z_]+)[`=]", PAGE.read_text()))
    assert settings <= set(re.findall(r"^\| `([A-Z_]+)`", readme.ENGLISH.read_text(), re.M))


def test_management_commands_that_it_names_are_there():
    named = set(re.findall(r"manage\.py ([a-z]\w+)", PAGE.read_text()))
    assert named <= set(get_commands())


def test_no_command_is_left_without_the_settings_of_the_service():
    bare = [line for line in commands() if re.match(r"(\.venv/|scripts/|[A-Z_]+=)", line)]
    assert bare == []
