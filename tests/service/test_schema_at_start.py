import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.service.conftest import StartService

pytestmark = [pytest.mark.service, pytest.mark.once]

CALLERS = 12


def test_the_schema_is_there_for_everybody_who_asks_first(start: StartService) -> None:
    """Each process of the service could build it, and two threads that build it disturb each other."""
    service = start(WEB_CONCURRENCY="2", WEB_THREADS="8")
    service.wait_until_it_answers("/health", 200)
    together = threading.Barrier(CALLERS)

    def ask(number: int) -> int:
        together.wait()
        return service.get(f"/openapi.json?lang={('en', 'ru')[number % 2]}")[0]

    with ThreadPoolExecutor(CALLERS) as pool:
        assert list(pool.map(ask, range(CALLERS))) == [200] * CALLERS
    assert service.faults() == []
