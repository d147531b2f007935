"""The sweep of the queue goes on after any failure, on a new connection, and what it did is told."""

import pytest
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from prometheus_client import REGISTRY

from crm_router.observability import metrics
from crm_router.server import sweeper
from operators.models import Operator
from routing import queue, tallies, upkeep
from routing.models import Upkeep
from tests import characters

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both]

SWEEP = queue.sweep_queue


class Stop(BaseException):
    """Ends the loop, which no Exception does."""


@pytest.fixture
def rounds(monkeypatch):
    """Runs the loop for these rounds: each raises what is given, or calls it and then sweeps."""

    def run(*outcomes):
        left = [*outcomes, Stop()]

        def sweep():
            outcome = left.pop(0)
            if isinstance(outcome, BaseException):
                raise outcome
            outcome()
            return SWEEP()

        monkeypatch.setattr(queue, "sweep_queue", sweep)
        with pytest.raises(Stop):
            sweeper.sweep_repeatedly(0)
        assert left == []

    return run


def fine():
    """A round that ends well."""


def sweeps(outcome):
    return REGISTRY.get_sample_value("crm_router_sweeps_total", {"outcome": outcome})


@pytest.mark.parametrize(
    "failure",
    [OperationalError("no route to host"), DatabaseError(), ValueError(), KeyError(), MemoryError(), RecursionError()],
    ids=repr,
)
def test_a_round_that_fails_is_followed_by_the_next(rounds, failure):
    failed, done = sweeps("failed"), sweeps("done")
    rounds(failure, fine)
    assert (sweeps("failed"), sweeps("done")) == (failed + 1, done + 1)
    assert Upkeep.objects.get().swept_at is not None


def leave_a_transaction_open():
    transaction.atomic().__enter__()
    raise ValueError


def lose_the_connection():
    connection.ensure_connection()
    connection.connection.close()


@pytest.mark.parametrize("fault", [leave_a_transaction_open, lose_the_connection])
def test_the_round_after_a_broken_connection_has_a_new_one(rounds, fault):
    rounds(fault, fine)
    assert Upkeep.objects.get().swept_at is not None


def test_a_connection_that_cannot_even_be_closed_is_forgotten(rounds, monkeypatch):
    def close():
        raise OperationalError("the connection is closed")

    forgotten = []

    def refuse_to_close():
        connections["default"].ensure_connection()
        forgotten.append(connections["default"].connection)
        monkeypatch.setattr(connections["default"], "close", close)

    rounds(refuse_to_close, fine)
    forgotten[0].close()
    assert Upkeep.objects.get().swept_at is not None


def test_metrics_that_cannot_be_counted_do_not_end_the_loop(rounds, monkeypatch):
    class FullDisk:
        def labels(self, outcome):
            raise OSError("No space left on device")

    monkeypatch.setattr(metrics, "SWEEPS", FullDisk())
    rounds(fine, fine)


def test_a_sweep_that_fails_does_not_stop_the_tally(monkeypatch):
    def fail():
        raise ValueError

    monkeypatch.setattr(queue, "sweep_queue", fail)
    Upkeep.objects.create(pk=1)
    with pytest.raises(ValueError):  # noqa: PT011 - the one above
        upkeep.sweep_and_tally()
    told = Upkeep.objects.get()
    assert (told.swept_at, told.tallied_at is None) == (None, False)


def test_a_tally_that_fails_does_not_stop_the_sweep(monkeypatch):
    def fail():
        raise ValueError

    monkeypatch.setattr(tallies, "tally_hours", fail)
    with pytest.raises(ValueError):  # noqa: PT011 - the one above
        upkeep.sweep_and_tally()
    told = Upkeep.objects.get()
    assert (told.swept_at is None, told.tallied_at) == (False, None)


def test_what_fails_for_one_operator_is_done_for_the_others_and_the_sweep_has_failed(monkeypatch):
    anna, boris = (characters.operator(name, is_active=False) for name in ("Anna", "Boris"))
    contacts = [characters.contact(characters.source(roster={one: 10})) for one in (anna, boris)]
    Operator.objects.update(is_active=True)
    assign = queue.assign_oldest

    def fail_for_anna(operator_id, *others):
        if operator_id == anna.pk:
            raise ZeroDivisionError
        return assign(operator_id, *others)

    monkeypatch.setattr(queue, "assign_oldest", fail_for_anna)
    with pytest.raises(ZeroDivisionError):
        queue.sweep_queue()
    for contact in contacts:
        contact.refresh_from_db()
    assert [contact.operator for contact in contacts] == [None, boris]
    assert not Upkeep.objects.filter(swept_at__isnull=False).exists()


def test_ready_tells_when_background_work_ended_well_and_stays_ready_when_it_does_not(api, rounds):
    assert api.get("/health/ready").json()["background"] == dict.fromkeys(
        ["ticked_at", "swept_at", "tallied_at", "pruned_at"]
    )
    rounds(fine)
    told = api.get("/health/ready").json()["background"]
    assert told["swept_at"] < told["tallied_at"]
    assert told["tallied_at"].endswith("Z")
    rounds(ValueError())
    answer = api.get("/health/ready")
    assert (answer.status_code, answer.json()["background"]["swept_at"]) == (200, told["swept_at"])
