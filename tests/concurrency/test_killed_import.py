"""An import that is killed is completed by the next one, and nothing is imported twice or by half."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from django.core.management import call_command
from django.db import connection

from leads.models import Lead
from routing.models import Contact
from tests import characters
from tests.leads import original_service
from tests.service.running import PROJECT, this_database, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 2_000
PEOPLE, FEW = 10_000, 500
SOME_ROWS = 100_000  # bytes


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


def test_a_move_from_the_original_service_that_was_killed_has_moved_nothing(tmp_path, capsys):
    environment = os.environ | {"DATABASE_URL": this_database()}
    command = [sys.executable, "manage.py", "import_original", original(tmp_path / "long.db", PEOPLE)]
    first = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: rows_are_written() or first.poll() is not None, "the first rows are written")
    first.send_signal(signal.SIGKILL)
    assert first.communicate()[0] == ""
    assert not Contact.objects.exists()
    assert not Lead.objects.exists()
    place = original(tmp_path / "short.db", FEW)  # the same, but for its length
    for moved, known in [(FEW, 0), (0, FEW)]:
        call_command("import_original", place)
        assert f"contacts{moved:>32}{known:>14}" in capsys.readouterr().out
    assert (Contact.objects.count(), Lead.objects.count()) == (FEW, FEW)
    assert characters.findings() == []


def original(place, people):
    """A database of the original service with so many people, each with a contact."""
    return original_service.write_sqlite(
        place,
        operators=[original_service.operator(1, limit=100)],
        sources=[original_service.source(1)],
        source_operator_weights=[(1, 1, 10)],
        leads=[original_service.lead(pk, f"+7999{pk:07d}") for pk in range(1, people + 1)],
        contacts=[original_service.contact(pk, by=pk, resolved=pk > 50, to=1) for pk in range(1, people + 1)],
    )


def rows_are_written():
    """Whether another process is writing: on SQLite it holds the lock, on PostgreSQL uncommitted rows take space."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=0, isolation_level=None)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_table_size('leads_lead')")
        return cursor.fetchone()[0] > SOME_ROWS
