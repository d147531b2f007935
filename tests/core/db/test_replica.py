"""Which reads may go to a replica, and what is done when it fails; tests/service/test_replica.py has a real one."""

import time
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import OperationalError, ProgrammingError, connections, transaction
from django.http import HttpResponse
from django.test import RequestFactory

from core import events
from core.db import replica
from crm_router.middleware import OwnChangesAreSeen
from operators.models import Operator

pytestmark = pytest.mark.once


class Replica(replica.Standby):
    """One that is so many seconds behind."""

    behind = 0.0

    def measure(self) -> None:
        self.note(self.behind, time.monotonic(), "is behind")


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """With a replica; where reads went."""
    found: list[str] = []
    monkeypatch.setitem(settings.DATABASES, replica.ALIAS, settings.DATABASES["default"])
    monkeypatch.setattr(replica, "standby", Replica())
    monkeypatch.setattr(events, "listeners", [lambda event: found.append(event.outcome.value)])
    yield found
    replica.wants_current.set(False)
    with suppress(AttributeError):  # none was made
        del connections[replica.ALIAS]


def where() -> str:
    return replica.Router().db_for_read(Operator)


def failing(error: Exception, cause: Exception | None = None) -> str:
    def work() -> str:
        if where() == replica.ALIAS:
            raise error from cause
        return where()

    return replica.read(work)


def test_only_what_is_passed_to_read_goes_there(outcomes: list[str]) -> None:
    assert [where(), replica.read(where), where()] == ["default", "replica", "default"]
    assert replica.read(lambda: replica.Router().db_for_write(Operator)) == "default"
    assert outcomes == ["replica", "replica"]


def test_a_row_from_the_replica_is_saved_on_the_primary(outcomes: list[str]) -> None:
    anna = Operator(name="Anna")
    anna._state.db = replica.ALIAS
    assert replica.Router().db_for_write(Operator, instance=anna) == "default"
    assert replica.Router().db_for_read(Operator, instance=anna) == "default"


@pytest.mark.django_db(transaction=True)
def test_a_transaction_sees_what_it_has_written(outcomes: list[str]) -> None:
    def work() -> list[str]:
        with transaction.atomic():
            return [where()]

    with transaction.atomic():
        assert replica.read(where) == "default"
    assert replica.read(work) == ["default"]
    assert replica.read(where) == "replica"


def test_migrations_never_run_there() -> None:
    assert not replica.Router().allow_migrate(replica.ALIAS, "routing")
    assert replica.Router().allow_migrate("default", "routing")


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (psycopg.errors.SerializationFailure("canceling statement due to conflict with recovery"), "cancelled"),
        (psycopg.errors.DeadlockDetected("conflict with recovery"), "cancelled"),
        (psycopg.errors.AdminShutdown("terminating connection"), "unavailable"),
        (psycopg.errors.UndefinedTable("not replayed yet"), "unavailable"),
        (psycopg.OperationalError("the connection is lost"), "unavailable"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_what_the_replica_does_not_do_is_done_by_the_primary(
    outcomes: list[str], cause: Exception, outcome: str
) -> None:
    assert failing(OperationalError(), cause) == "default"
    assert outcomes == [outcome]


def test_a_row_that_has_not_arrived_yet_is_read_from_the_primary(outcomes: list[str]) -> None:
    assert failing(ObjectDoesNotExist()) == "default"
    assert outcomes == ["behind"]


def test_after_a_failure_it_is_left_alone_for_a_while(outcomes: list[str]) -> None:
    failing(OperationalError(), psycopg.errors.AdminShutdown())
    assert replica.read(where) == "default"
    assert outcomes == ["unavailable", "unavailable"]


def test_a_replica_that_comes_and_goes_is_no_flood_of_warnings(
    outcomes: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="core.db.replica")
    for behind in [7200.0, 0.0] * 3:
        replica.standby.note(behind, time.monotonic(), "is 7200 seconds behind")
    assert caplog.messages == ["The replica is not used: it is 7200 seconds behind", "The replica is used again"]


def test_what_took_too_long_is_not_begun_again(outcomes: list[str]) -> None:
    with pytest.raises(OperationalError):
        failing(OperationalError(), psycopg.errors.QueryCanceled("canceling statement due to statement timeout"))
    assert outcomes == []


def test_a_defect_stays_one(outcomes: list[str]) -> None:
    with pytest.raises(ProgrammingError):
        failing(ProgrammingError(), psycopg.errors.SyntaxError())


def test_a_caller_may_want_it_newer_than_the_replica_is(outcomes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Replica, "behind", 4.0)
    assert replica.read(where, max_age=3) == "default"
    assert replica.read(where, max_age=3600) == "replica"
    assert outcomes == ["behind", "replica"]


def asked(method: str, path: str, *, cookies: str = "", **headers: str) -> tuple[str, HttpResponse]:
    """Where the page reads from, and its answer."""
    read_from: list[str] = []

    def page(request: object) -> HttpResponse:
        read_from.append(replica.read(where))
        return HttpResponse()

    request = RequestFactory(headers={"Cookie": cookies} | headers).generic(method, path)
    response = OwnChangesAreSeen(page)(request)
    assert isinstance(response, HttpResponse)
    return read_from[0], response


def test_a_browser_that_has_changed_something_reads_it_for_as_long_as_the_replica_may_be_behind(
    outcomes: list[str],
) -> None:
    assert asked("GET", "/admin/reports/")[0] == "replica"
    [cookie] = asked("POST", "/admin/my-contacts/")[1].cookies.values()
    assert cookie["max-age"] == settings.DATABASE_REPLICA_MAX_LAG
    assert asked("GET", "/admin/reports/", cookies=f"{cookie.key}={cookie.value}")[0] == "default"
    assert asked("GET", "/admin/reports/")[0] == "replica"
    assert not asked("GET", "/admin/reports/")[1].cookies
    assert not asked("POST", "/api/v1/contacts")[1].cookies


def test_any_caller_may_ask_for_the_newest(outcomes: list[str]) -> None:
    assert asked("GET", "/api/v1/stats/report", cache_control="no-cache")[0] == "default"
