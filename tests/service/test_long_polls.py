"""Calls that wait for events leave threads for everybody else, and do not hold up a stop."""

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from tests.service.conftest import StartService
from tests.service.running import PATIENCE, Service, wait_until

pytestmark = [pytest.mark.service]

BOTS = 50


def poll(service: Service, seconds: int = 25) -> tuple[int, bool]:
    """One call that wants to wait: the status, and whether it was turned away."""
    connection = http.client.HTTPConnection(*service.address, timeout=PATIENCE)
    try:
        connection.request("GET", f"/api/v1/events?wait={seconds}")
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("Retry-After") is not None
    finally:
        connection.close()


def wait_for_event(service: Service) -> tuple[int, bool]:
    """Like `poll`, and again while others have the places of those who wait."""
    while (answer := poll(service))[1]:
        time.sleep(0.05)
    return answer


def is_full(service: Service) -> bool:
    """Whether as many calls wait as may: this one is turned away then."""
    return poll(service, 1)[1]


@contextmanager
def polling(service: Service) -> Iterator[list[Future[list[tuple[int, bool]]]]]:
    """Bots that poll all the time, and pause as they are asked."""
    is_over = Event()

    def poll_on() -> list[tuple[int, bool]]:
        answers = []
        while not is_over.is_set():
            answers.append(poll(service))
            is_over.wait(5 * answers[-1][1])
        return answers

    with ThreadPoolExecutor(BOTS) as pool:
        yield (bots := [pool.submit(poll_on) for _ in range(BOTS)])
        is_over.set()
        service.post("/operators", {"name": "The last event", "max_load": 1})
        [bot.result(PATIENCE) for bot in bots]


def test_fifty_bots_that_poll_leave_registrations_their_threads(start: StartService) -> None:
    service = start(WEB_CONCURRENCY="1", WEB_THREADS="4").wait_until_up()
    source = service.roster(operators=2, limit=100)
    with polling(service) as bots:
        for number in range(50):
            service.post("/contacts", {"source_id": source, "lead_phone": f"+7999{number:07d}"})
    answers = [answer for bot in bots for answer in bot.result()]
    assert {status for status, _ in answers} == {200}
    assert any(is_turned_away for _, is_turned_away in answers)


def test_a_stop_answers_the_calls_that_wait(start: StartService) -> None:
    service = start(WEB_CONCURRENCY="1", WEB_THREADS="8").wait_until_up()
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(wait_for_event, service) for _ in range(2)]
        wait_until(lambda: is_full(service), "the calls wait")
        begun = time.monotonic()
        assert service.stop() == 0
        assert [call.result(PATIENCE) for call in waiting] == [(200, False), (200, False)]
    assert time.monotonic() - begun < 25
