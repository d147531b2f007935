"""One process of the service at a time sends webhooks and messages; when it is killed, another one goes on."""

import os
import signal
from pathlib import Path

import pytest

from tests.service.conftest import StartService
from tests.service.running import Service, wait_until

pytestmark = [pytest.mark.service]

LOOPS = 7  # each has a thread


def delivering(service: Service) -> list[int]:
    """Of two running processes the one that has more threads than the other by about as many as there are loops."""
    threads = {pid: len(list(Path(f"/proc/{pid}").glob("task/*"))) for pid in service.workers()}
    running = {pid: count for pid, count in threads.items() if count}
    return [pid for pid, count in running.items() if len(running) == 2 and count > min(running.values()) + LOOPS // 2]


def test_one_process_delivers_and_another_goes_on(start: StartService) -> None:
    service = start(WEB_CONCURRENCY="2", WEB_THREADS="1", DELIVER_IN_SERVICE="true").wait_until_up()
    [pid] = wait_until(lambda: delivering(service), "a process delivers")

    os.kill(pid, signal.SIGKILL)

    wait_until(lambda: delivering(service) not in ([], [pid]), "another one delivers")
