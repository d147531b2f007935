"""An import that dies is begun again, and each row makes one contact."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.conftest import StartService
from tests.service.running import PROJECT, Service, run, wait_until

pytestmark = [pytest.mark.service]

ROWS = 3_000


def registered(service: Service) -> int:
    counting = "from leads.models import Contact, Lead; print(Contact.objects.count(), Lead.objects.count())"
    contacts, leads = map(int, service.manage("shell", "-v0", "-c", counting).stdout.split())
    assert contacts == leads
    return contacts


def test_an_import_that_was_killed_is_completed_by_the_next(start: StartService, tmp_path: Path) -> None:
    service = start().wait_until_up()
    source = service.roster(operators=3, limit=100)
    table = tmp_path / "contacts.csv"
    table.write_text("lead_phone\n" + "".join(f"+7999{number:07d}\n" for number in range(ROWS)))
    command = ["manage.py", "import_contacts", str(table), "--source", str(source)]
    first = subprocess.Popen([sys.executable, *command], cwd=PROJECT, env=service.env)
    wait_until(lambda: service.get("/api/v1/contacts")[1]["results"], "some contacts are imported")
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert 0 < registered(service) < ROWS
    assert run(sys.executable, *command, env=service.env).returncode == 0
    assert registered(service) == ROWS
    assert service.manage("check_routing").returncode == 0
