"""The reader of events of docs/api.md, run as it stands against the service."""

import os
import subprocess
import sys
import time

import pytest

from notifications import long_polls
from tests import characters
from tests.access import callers
from tests.docs import documents

pytestmark = pytest.mark.django_db(transaction=True)

[READER] = [text for text in documents.programs(documents.DOCS / "api.md") if text.startswith('"""events.py: ')]


def test_the_reader_prints_who_gets_what_as_it_happens(live_server, monkeypatch):
    monkeypatch.setattr(long_polls, "waiters", long_polls.Waiters(1))
    source = characters.source(roster={characters.operator("Anna", limit=1): 1})
    before = characters.contact(source)
    environment = {"PATH": os.environ["PATH"], "ROUTER": live_server.url, "ROUTER_KEY": callers.key(source).secret}
    with subprocess.Popen([sys.executable, "-c", READER], env=environment, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout
        try:
            assert reader.stdout.readline() == f"contact.assigned {before.pk} Anna\n"
            later = characters.contact(source)
            assert reader.stdout.readline() == f"contact.queued {later.pk} None\n"
            while not long_polls.waiters.waiting:  # a call that came later would wait among those of other tests
                time.sleep(0.01)
        finally:
            reader.kill()
            long_polls.end_waiting()
