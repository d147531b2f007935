"""psycopg converts a statement with more than 50 parameters again each time, so a registration must not have more."""

from datetime import UTC, datetime

import pytest
import time_machine
from psycopg._queries import MAX_CACHED_STATEMENT_PARAMS

from core.db import compiled, writes
from routing.models import Source
from tests import characters

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

CAPS = {"max_per_hour": 50, "max_per_day": 90}


@pytest.mark.parametrize("switched_on", [{}, CAPS, CAPS | {"queue_pace": 2}], ids=["nothing", "caps", "caps and pace"])
def test_a_registration_of_somebody_new_has_no_more_parameters_than_are_cached(monkeypatch, switched_on):
    numbers = []

    def count(sql, values):
        numbers.append(len(values))
        return compiled.run_statement(sql, values)

    bot = characters.source(roster={characters.operator(limit=100, **switched_on): 10})
    Source.objects.update(accept_within=60, max_offers=2, off_duty_after_missed=3)
    with time_machine.travel(datetime(2026, 3, 2, 12, 20, tzinfo=UTC), tick=False):
        characters.contact(bot)  # the first of the hour begins to count
        monkeypatch.setattr(writes, "run_statement", count)
        characters.contact(bot, lead_name="Anna", message="Hello", idempotency_key="1")
    [number] = numbers
    assert number <= MAX_CACHED_STATEMENT_PARAMS
