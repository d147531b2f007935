"""What happens to requests while processes come and go."""

import os
import signal
from typing import Any

import pytest

from tests.service.bots import Bots, all_contact_ids
from tests.service.conftest import StartService
from tests.service.running import PATIENCE, Service, free_port, wait_until

pytestmark = [pytest.mark.service]


def bots(service: Service, **options: Any) -> Bots:
    return Bots(service.address, service.roster(operators=10, limit=100), **options).start()


def ids(crowd: Bots) -> set[int]:
    return {contact["id"] for contact in crowd.contacts}


def kill_a_worker(service: Service, crowd: Bots, *, after: int) -> None:
    wait_until(lambda: crowd.answered() > after, f"{after} contacts are registered")
    known = service.workers()
    os.kill(known[-1], signal.SIGKILL)
    wait_until(lambda: len(service.workers()) > len(known), "the killed worker is replaced")


def test_a_stop_answers_every_request_that_was_accepted(start: StartService, service: Service) -> None:
    crowd = bots(service, total=100_000, stop_when_refused=True)
    wait_until(lambda: crowd.answered() > 100, "the bots are at work")

    assert service.stop() == 0
    crowd.join()

    assert crowd.dropped == 0
    assert crowd.others == []
    # Neither lost nor done without an answer.
    assert all_contact_ids(start().wait_until_up().get) == ids(crowd)


@pytest.mark.once
def test_a_reload_costs_nobody_a_request(service: Service) -> None:
    crowd = bots(service, total=300)
    wait_until(lambda: crowd.answered() > 100, "the bots are at work")
    before = service.workers()

    service.signal(signal.SIGHUP)
    crowd.join()

    assert len(service.workers()) == 2 * len(before)
    assert (crowd.refused, crowd.dropped, crowd.others) == (0, 0, [])
    assert all_contact_ids(service.get) == ids(crowd)
    assert len(ids(crowd)) == 300


def test_a_killed_worker_loses_nothing_that_was_answered(service: Service) -> None:
    crowd = bots(service, total=500)
    for part in (100, 250):
        kill_a_worker(service, crowd, after=part)
    crowd.join()

    stored = all_contact_ids(service.get)

    assert crowd.others == []
    assert ids(crowd) <= stored
    assert len(stored) <= len(crowd.contacts) + crowd.dropped + crowd.refused
    assert len(crowd.contacts) > 400
    assert service.findings() == []


def test_a_killed_master_loses_nothing_that_was_answered(start: StartService) -> None:
    """Its workers answer their clients for so many seconds, by default 30."""
    service = start(GUNICORN_CMD_ARGS="--graceful-timeout 1").wait_until_up()
    crowd = bots(service, total=100_000, stop_when_refused=True)
    wait_until(lambda: crowd.answered() > 100, "the bots are at work")

    service.signal(signal.SIGKILL)
    crowd.join()

    assert crowd.others == []
    again = start(PORT=str(free_port())).wait_until_up()  # its workers may still hold the old port for a second
    assert ids(crowd) <= all_contact_ids(again.get)
    assert again.findings() == []


@pytest.mark.once
def test_workers_whose_master_was_killed_end_too(service: Service) -> None:
    """A supervisor kills them with their master. Without one they end when they are idle, or after 30 seconds."""
    assert service.get("/health")[0] == 200
    service.signal(signal.SIGKILL)
    service.process.wait(PATIENCE)
    wait_until(lambda: not service.is_survived(), "the workers have ended")
