"""Answers what-ifs in a process of its own, for as long as somebody waits for one.

It computes for seconds: a thread of a serving process would slow down the requests of its neighbours. If the process
that started it is killed, it goes on; if it is killed itself, the next one takes over the run when its lease is over.
"""

import logging
import os
import subprocess
import sys
from threading import Event

from django.conf import settings

from core import periodic
from crm_router.server.turns import Turn
from routing.what_if import runs

log = logging.getLogger(__name__)

SECONDS = 2.0  # between two looks
AFTER_FAILURE = 30.0
NOT_SHARED = "PROMETHEUS_MULTIPROC_DIR"  # the files of gunicorn's workers

turn = Turn()
stopping = Event()


def start_foresight() -> None:
    """Looks for what-ifs as soon as no other process of the service does."""
    turn.start(look_until_stopped, name="foresight")


def look_until_stopped() -> None:
    pause = SECONDS
    while not stopping.wait(pause):
        done = periodic.run_round(answer_what_waits, log=log, report=log.debug)
        pause = SECONDS if done else AFTER_FAILURE


def answer_what_waits() -> str:
    if not runs.somebody_waits():
        return ""
    environment = {name: value for name, value in os.environ.items() if name != NOT_SHARED}
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "what_if", "--work"]
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return "what-ifs answered"


def stop_foresight() -> None:
    """No look begins from now on."""
    stopping.set()
