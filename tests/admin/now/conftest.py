from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.admin.now.looking import context


@pytest.fixture
def lines(supervisor: Client) -> Callable[[], list[Any]]:
    """What the page shows of the sources, in its order."""
    return lambda: list(context(supervisor)["sources"])


@pytest.fixture
def operators(supervisor: Client) -> Callable[[], list[Any]]:
    """What the page shows of the operators, in its order."""
    return lambda: list(context(supervisor)["operators"])
