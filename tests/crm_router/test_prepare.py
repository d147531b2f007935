"""What is said of a database before the service starts."""

import pytest
from django.db import OperationalError

from crm_router.management.commands import prepare

pytestmark = pytest.mark.once

AT = 'connection to server at "127.0.0.1", port 5432 failed: '


@pytest.mark.parametrize(
    "said",
    [
        'FATAL:  password authentication failed for user "crm"',
        'FATAL:  Peer authentication failed for user "crm"',
        'FATAL:  role "crm" does not exist',
        'FATAL:  database "crm" does not exist',
        'FATAL:  no pg_hba.conf entry for host "10.0.0.5", user "crm", database "crm", no encryption',
        "fe_sendauth: no password supplied",
    ],
)
def test_who_is_refused_is_told_that_waiting_will_not_help(said):
    told = prepare.why_not(OperationalError(f"{AT}{said}\nand more"))
    assert told.startswith(f"{AT}{said}. Waiting does not help: ")


@pytest.mark.parametrize("said", ["Connection refused", "FATAL:  the database system is starting up"])
def test_what_passes_by_itself_is_told_as_it_is(said):
    assert prepare.why_not(OperationalError(f"{AT}{said}\nand more")) == f"{AT}{said}"
