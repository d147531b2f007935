import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from crm_router.observability import logs

Lines = Callable[[], list[dict[str, Any]]]
Grown = Callable[..., float]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, as it is written with LOG_FORMAT=json and LOG_LEVEL=INFO."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.Formatter("json"))
    handler.addFilter(logs.WithoutClients())
    logging.root.addHandler(handler)
    yield written
    logging.root.removeHandler(handler)


@pytest.fixture
def lines(log: io.StringIO) -> Lines:
    return lambda: [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.fixture
def grown() -> Grown:
    """By how much a counter has grown since the test began: others have counted before."""
    before = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples()}

    def grown(name: str, **labels: str) -> float:
        now: float = REGISTRY.get_sample_value(name, labels) or 0.0
        then: float = before.get((name, frozenset(labels.items())), 0.0)
        return now - then

    return grown


def samples() -> Iterator[Any]:
    for family in REGISTRY.collect():
        yield from family.samples
