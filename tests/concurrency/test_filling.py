"""scripts/fill writes a year of contacts, and bots register at the same time: nobody takes the other's ids."""

import random

import psycopg
import pytest
import scale_data
from django.db import Error
from django.utils import timezone

from core.errors import Busy
from routing.models import Contact
from tests import characters
from tests.concurrency.threads import together

pytestmark = pytest.mark.django_db(transaction=True)

YEAR, BOTS, EACH = 2_000, 4, 25


def fill_and_register():
    """The numbers of contacts that came of it."""
    bot = characters.source(roster={characters.operator(limit=100): 10})

    def fill():
        return sum(scale_data.write_year(count=YEAR, waiting=2, now=timezone.now(), rng=random.Random(1)))

    def register():
        return [characters.contact(bot).pk for _ in range(EACH)]

    filled, *registered = together(fill, *[register] * BOTS)
    return filled, len({pk for pks in registered for pk in pks})


@pytest.fixture(autouse=True)
def small_transactions(monkeypatch):
    monkeypatch.setattr(scale_data, "TOGETHER", 50)


def test_both_are_stored():
    assert fill_and_register() == (YEAR, BOTS * EACH)
    assert Contact.objects.count() == YEAR + BOTS * EACH
    characters.contact(characters.source())


@pytest.mark.postgresql
def test_without_reserved_ids_they_fail(monkeypatch):
    """The control for the test above."""
    monkeypatch.setattr(scale_data, "reserve_ids", lambda model, number: scale_data.next_pk(model))
    with pytest.raises((Busy, Error, psycopg.Error)):
        fill_and_register()
