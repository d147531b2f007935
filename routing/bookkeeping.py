"""Keeps when the parts of the background work were last done."""

from typing import Any

from core import retry
from routing.models import Upkeep


def note_moments(**moments: Any) -> None:
    """Sets these fields of Upkeep."""
    for attempt in retry.attempts():
        with attempt:
            Upkeep.objects.update_or_create(pk=1, defaults=moments)
