"""Every command in the documents is run by a test, here or elsewhere. docs/operations.md has a test of its own."""

import re

import pytest
from django.core.management import call_command, get_commands

from leads import contact_import
from tests.docs import documents

PYTHON = ".venv/bin/python"
MANAGE = f"{PYTHON} manage.py "
OTHERS = {"operations.md", "observability.md"}  # for servers: tests/docs/test_operations.py

RUN_HERE = [
    f"{MANAGE}seed_demo",
    f"{MANAGE}seed_contacts --count 100",
    f"{MANAGE}check_routing",
    f"{MANAGE}verify_decisions",
    f"{MANAGE}route_waiting",
    f"{MANAGE}deliver",
    f"{MANAGE}create_api_key --management --name office",
    f"{MANAGE}prune",
]
RUN_ELSEWHERE = {
    f"{MANAGE}create_api_key --source 1 --name telegram-bot": "tests/access makes such keys",
    f"{MANAGE}import_original crm.db --dry-run": "tests/leads moves such databases in",
    f"{MANAGE}import_original crm.db": "likewise",
    "scripts/serve --demo": "tests/service starts it",
    "scripts/test": "it is what runs these tests",
    "scripts/test_distribution.sh": "tests/service runs it",
    "scripts/lock": "needs the package registry",
    "scripts/lock --upgrade-package django": "likewise",
    f"{PYTHON} scripts/support/screenshots.py": "writes into the project, and needs minutes",
    f"{MANAGE}createsuperuser": "asks a person; Django's own",
    f"{MANAGE}makemigrations": "writes into the project; scripts/check runs it with --check",
    f"{MANAGE}migrate": "makes the database of every test",
    "scripts/messages": "writes into the project; tests/admin compares the catalogue with the code",
    f'{PYTHON} -m pytest -m "not postgresql and not browser"': "it is what runs these tests",
    f'{PYTHON} -m pytest -m "not postgresql and not browser" --cov': "likewise",
    f"{PYTHON} -m pytest tests/routing/test_weighted_random.py": "likewise",
    f"{PYTHON} -m ruff check --fix .": "writes into the project; scripts/check runs it without --fix",
    f"{PYTHON} -m ruff format .": "writes into the project; scripts/check runs it with --check",
    f"{PYTHON} -m mypy .": "scripts/check runs it",
    "docker compose up --build": "needs a Docker engine; tests/service reads compose.yaml and walks its steps",
    "docker compose up -d": "likewise",
    "docker compose down": "likewise",
    "docker compose run --rm app scripts/test": "likewise",
    "docker compose exec app /opt/venv/bin/python manage.py createsuperuser": "likewise",
}


def test_every_command_is_run_by_some_test():
    shown = {line for file in documents.ALL if file.name not in OTHERS for line in documents.commands(file)}
    assert shown == {*RUN_HERE, *RUN_ELSEWHERE}


def test_both_readmes_show_the_same_commands():
    english, russian = (documents.commands(file) for file in documents.READMES)
    assert english == russian


@pytest.mark.django_db
def test_the_commands_run_one_after_another(capsys):
    for command in RUN_HERE:
        call_command(*command.removeprefix(MANAGE).split())
    printed = capsys.readouterr().out
    assert "Loads, limits, queue and contacts agree." in printed
    assert "Every stored decision follows from its evidence." in printed


def test_every_command_of_the_project_is_explained():
    ours = {name for name, app in get_commands().items() if (documents.ROOT / app.partition(".")[0]).is_dir()}
    explained = set(re.findall(r"manage\.py (\w+)", (documents.DOCS / "commands.md").read_text()))
    for_developers_and_scripts = {"messages", "prepare"}
    assert ours - for_developers_and_scripts <= explained


def test_every_script_is_explained():
    scripts = {f"scripts/{file.name}" for file in (documents.ROOT / "scripts").iterdir() if file.is_file()}
    explained = set(re.findall(r"^\| `(scripts/[\w.-]+)", (documents.DOCS / "commands.md").read_text(), re.M))
    assert explained == scripts


@pytest.mark.django_db
def test_the_table_shown_can_be_imported(tmp_path, capsys):
    [table] = [block.text for block in documents.blocks(documents.DOCS / "commands.md") if block.language == "csv"]
    path = tmp_path / "contacts.csv"
    path.write_text(table)
    call_command("seed_demo")
    call_command("import_contacts", str(path))
    assert "2 contacts registered" in capsys.readouterr().out


def test_every_column_of_an_import_is_named():
    assert set(contact_import.COLUMNS) <= set(documents.in_backticks(documents.DOCS / "commands.md"))
