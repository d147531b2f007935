"""A worker that is killed between sending a message and noting it: another one sends it again, and none is lost."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from django.utils import timezone

from notifications.messenger.models import MessengerState, Notice
from tests import characters
from tests.notifications.messenger.courier import link, wait_until_reading
from tests.notifications.messenger.fake_telegram import TOKEN

ANNA = 1001
PROJECT = Path(__file__).parents[3]


def database_url():
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    user = ":".join(quote(part, safe="") for part in (found["USER"], found["PASSWORD"]) if part)
    return f"postgres://{user}@{quote(found['HOST'], safe='')}:{found['PORT'] or 5432}/{found['NAME']}"


@pytest.fixture
def start_worker(transactional_db, telegram, tmp_path):
    """Starts processes of the worker, which are killed at the end."""
    started = []

    def start():
        ours = {"TELEGRAM_API_URL": telegram.url, "TELEGRAM_BOT_TOKEN": TOKEN, "DATABASE_URL": database_url()}
        env = os.environ | ours | {"DATA_DIR": str(tmp_path)}
        command = [sys.executable, "manage.py", "deliver", "--loop"]
        with (tmp_path / "log").open("a") as log:
            started.append(subprocess.Popen(command, cwd=PROJECT, env=env, stdout=log, stderr=log))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait(60)


def test_what_a_killed_worker_has_not_noted_is_sent_again(start_worker, telegram):
    anna = characters.operator("Anna")
    link(telegram, anna, ANNA)
    telegram.fail_next("sendMessage", "hang")
    first = start_worker()
    wait_until_reading()
    characters.contact(characters.source(roster={anna: 10}))
    telegram.wait_until(lambda: len(telegram.messages(ANNA)) == 1, seconds=60)
    first.kill()
    first.wait(60)
    assert Notice.objects.get().state == "pending"
    over = timezone.now() - timedelta(seconds=1)
    Notice.objects.update(leased_until=over)  # as if the leases had run out
    MessengerState.objects.update(held_until=over)
    start_worker()
    telegram.wait_until(lambda: len(telegram.messages(ANNA)) == 2, seconds=60)
