from typing import Any

import pytest

from access import throttle
from routing.models import Source
from tests import characters


@pytest.fixture(autouse=True)
def keys_are_required(settings: Any) -> None:
    settings.API_KEYS = "required"


@pytest.fixture(autouse=True)
def fresh_allowance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test is a process that has just started."""
    monkeypatch.setattr(throttle, "allowance", throttle.Allowance())


@pytest.fixture
def telegram(db: None) -> Source:
    return characters.source("Telegram", roster={characters.operator(limit=100): 10})


@pytest.fixture
def whatsapp(db: None) -> Source:
    return characters.source("WhatsApp", roster={characters.operator("Boris", limit=100): 10})
