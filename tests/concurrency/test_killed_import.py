"""An import that is killed is completed by the next, and each row makes one contact."""

import os
import signal
import subprocess
import sys

import pytest
from django.core.management import call_command
from django.db import connection

from leads.models import Lead
from routing.models import Contact
from tests import characters
from tests.service.running import PROJECT, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 2_000


def this_database():
    """The address of the tests' database, for a process of its own."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    user = f"{database['USER']}:{database['PASSWORD']}".rstrip(":")
    if database["HOST"].startswith("/"):  # a socket
        return f"postgres://{user}@/{database['NAME']}?host={database['HOST']}"
    return f"postgres://{user}@{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"


def test_an_import_that_was_killed_is_completed_by_the_next(tmp_path, capsys):
    source = characters.source(roster={characters.operator(limit=100): 1})
    table = tmp_path / "contacts.csv"
    table.write_text("lead_phone\n" + "".join(f"+7999{number:07d}\n" for number in range(ROWS)))
    command = ["import_contacts", str(table), "--source", str(source.pk)]
    environment = os.environ | {"DATABASE_URL": this_database()}
    first = subprocess.Popen([sys.executable, "manage.py", *command], cwd=PROJECT, env=environment)
    wait_until(Contact.objects.exists, "some contacts are imported")
    first.send_signal(signal.SIGKILL)
    first.wait()
    stored = Contact.objects.count()
    assert stored < ROWS
    call_command(*command)
    assert f"{ROWS - stored} contacts registered, {stored} were registered before." in capsys.readouterr().out
    assert (Contact.objects.count(), Lead.objects.count()) == (ROWS, ROWS)
    assert characters.findings() == []
