"""Every command in the READMEs is run by a test, here or elsewhere."""

import pytest
from django.core.management import call_command

from leads import contact_import
from tests.docs import readme

PYTHON = ".venv/bin/python"
MANAGE = f"{PYTHON} manage.py "

RUN_HERE = [
    f"{MANAGE}seed_demo",
    f"{MANAGE}seed_contacts --count 100",
    f"{MANAGE}check_routing",
    f"{MANAGE}verify_decisions",
    f"{MANAGE}route_waiting",
    f"{MANAGE}create_api_key --management --name office",
    f"{MANAGE}prune",
]
RUN_ELSEWHERE = {
    f"{MANAGE}create_api_key --source 1 --name telegram-bot": "tests/access makes such keys",
    "scripts/serve": "tests/service starts it",
    "scripts/test": "it is what runs these tests",
    "scripts/test_distribution.sh": "tests/service runs it",
    "scripts/lock": "needs the package registry",
    "scripts/lock --upgrade-package django": "likewise",
    f"{MANAGE}createsuperuser": "asks a person; Django's own",
    f"{MANAGE}reset_two_factor vera": "tests/door runs it",
    f"{MANAGE}axes_reset_username vera": "likewise",
    f"{MANAGE}makemigrations": "writes into the project; scripts/check runs it with --check",
    f"{MANAGE}migrate": "makes the database of every test",
    f"{MANAGE}messages": "writes into the project; tests/admin compares the catalogue with the code",
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


@pytest.mark.parametrize("file", readme.READMES, ids=lambda file: file.name)
def test_every_command_is_run_by_some_test(file):
    assert sorted(readme.commands(file)) == sorted([*RUN_HERE, *RUN_ELSEWHERE])


@pytest.mark.django_db
def test_the_commands_run_one_after_another(capsys):
    for command in RUN_HERE:
        call_command(*command.removeprefix(MANAGE).split())
    told = capsys.readouterr().out
    assert "Loads, limits, queue and contacts agree." in told
    assert "Every stored decision follows from its evidence." in told


@pytest.mark.django_db
@pytest.mark.parametrize("file", readme.READMES, ids=lambda file: file.name)
def test_the_table_shown_can_be_imported(file, tmp_path, capsys):
    [table] = [block.text for block in readme.blocks(file) if block.language == "csv"]
    path = tmp_path / "contacts.csv"
    path.write_text(table)
    call_command("seed_demo")
    call_command("import_contacts", str(path))
    assert "2 contacts registered" in capsys.readouterr().out


@pytest.mark.parametrize("file", readme.READMES, ids=lambda file: file.name)
def test_every_column_of_an_import_is_named(file):
    assert set(contact_import.COLUMNS) <= set(readme.in_backticks(file))
