"""The clock goes on after any failure, on a new connection."""

from threading import Event

import pytest
from django.db import OperationalError, connection, transaction

from crm_router.server import ticker
from routing import clock
from routing.models import Upkeep

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]

TICK = clock.tick


class Rounds(Event):
    """Stands for the event that stops the clock: lets it tick once for each outcome."""

    def __init__(self, *outcomes):
        super().__init__()
        self.left = list(outcomes)

    def wait(self, timeout=None):
        return not self.left

    def is_set(self):
        return not self.left

    def tick(self):
        outcome = self.left.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        outcome()
        return TICK()


def fine():
    """A tick that ends well."""


def leave_a_transaction_open():
    transaction.atomic().__enter__()
    raise ValueError


def lose_the_connection():
    connection.ensure_connection()
    connection.connection.close()


@pytest.mark.parametrize(
    "failure",
    [OperationalError("no route to host"), ValueError(), MemoryError(), leave_a_transaction_open, lose_the_connection],
    ids=lambda failure: getattr(failure, "__name__", repr(failure)),
)
def test_a_tick_that_fails_is_followed_by_the_next(monkeypatch, failure):
    rounds = Rounds(failure, fine)
    monkeypatch.setattr(clock, "tick", rounds.tick)
    clock.tick_repeatedly(rounds)
    assert Upkeep.objects.get().ticked_at is not None


def test_a_log_that_cannot_be_written_does_not_end_the_clock(monkeypatch):
    def full_disk(done):
        raise OSError("No space left on device")

    rounds = Rounds(ValueError(), fine)
    monkeypatch.setattr(clock, "tick", rounds.tick)
    monkeypatch.setattr(clock.log, "exception", full_disk)
    monkeypatch.setattr(ticker, "stopping", rounds)
    ticker.tick_until_stopped()
    assert Upkeep.objects.get().ticked_at is not None
