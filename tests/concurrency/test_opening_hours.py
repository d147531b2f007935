"""An edge of opening hours is turned once, however many workers come to it."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from routing import opening_hours
from routing.models import Source
from tests import characters
from tests.concurrency.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

MORNING = datetime(2026, 11, 30, 8, tzinfo=UTC)
OPENING = MORNING + timedelta(hours=1)
WORKERS = 4


@pytest.fixture
def closed():
    with time_machine.travel(MORNING, tick=False):
        source = characters.source(roster={characters.operator(): 10})
        shifts = [{"weekday": 1, "from": "09:00", "to": "18:00"}]
        opening_hours.set_opening_hours(source_id=source.pk, time_zone="UTC", shifts=shifts)
        characters.contact(source)
    return source


def turned_by(source):
    with time_machine.travel(OPENING, tick=False):
        return sum(together(*[lambda: opening_hours.turn_source(source.pk, OPENING)] * WORKERS))


def test_one_of_several_workers_opens_the_source(closed):
    assert turned_by(closed) == 1
    assert Source.objects.get().opens_at is None


def test_without_looking_again_under_the_lock_all_of_them_do(closed, monkeypatch):
    """The control for the test above."""

    def never_done(source, hours, now):
        Source.objects.filter(pk=source.pk).update(opens_at=None)

    monkeypatch.setattr(opening_hours, "set_switch", never_done)
    assert turned_by(closed) == WORKERS
