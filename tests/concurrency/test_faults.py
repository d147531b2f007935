"""The database asks to try again, or goes away: the one is done, the other is said."""

import json
from contextlib import suppress
from http import HTTPStatus
from threading import Barrier, BrokenBarrierError
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.db import OperationalError, connection

from core import retry
from core.errors import Busy
from leads import registration
from operators.load import lock_operators, take
from operators.models import Operator
from routing import assignment
from tests import characters
from tests.concurrency.threads import TIMEOUT, together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


def crossed(first, second):
    """Two units of work that lock two operators in opposite orders, and meet in the middle."""
    both_hold_one = Barrier(2)

    def lock(one, other):
        def work(attempt):
            lock_operators([one])
            with suppress(BrokenBarrierError):  # nobody comes to the second meeting
                both_hold_one.wait(TIMEOUT if attempt == 0 else 0.01)
            lock_operators([other])
            take((), ())(one)
            return attempt

        return lambda: characters.run_attempts(work)

    return together(lock(first, second), lock(second, first))


def test_a_deadlock_is_tried_again_and_nobody_hears_of_it():
    anna, boris = characters.operator("Anna"), characters.operator("Boris")
    winner, loser = sorted(crossed(anna.pk, boris.pk))
    assert winner == 0 < loser  # attempts before theirs; on a slow machine the loser may lose twice
    assert (characters.load(anna), characters.load(boris)) == (1, 1)


def test_without_trying_again_a_deadlock_is_an_error(monkeypatch):
    """The control for the test above."""
    monkeypatch.setattr(retry, "TRY_AGAIN", {})
    anna, boris = characters.operator("Anna"), characters.operator("Boris")
    with pytest.raises(OperationalError, match="deadlock detected"):
        crossed(anna.pk, boris.pk)


def test_who_loses_every_race_is_told_to_come_back(monkeypatch):
    monkeypatch.setattr(retry, "PAUSE", 0)

    def always_late(attempt):
        characters.operator(f"Attempt {attempt}")
        raise retry.LostRace

    with pytest.raises(Busy):
        characters.run_attempts(always_late)
    assert not Operator.objects.exists()


def post(url, body):
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request) as answer:
        return answer.status, json.load(answer)


def test_a_lost_connection_is_a_503_and_the_next_request_works(live_server, monkeypatch):
    anna = characters.operator()
    bot = characters.source(roster={anna: 10})
    url, assign = f"{live_server.url}/api/v1/contacts", assignment.assign
    body = {"source_id": bot.pk, "lead_phone": "+79991234567"}

    def cut_off(**asked):
        monkeypatch.setattr(registration, "assign", assign)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return assign(**asked)

    monkeypatch.setattr(registration, "assign", cut_off)
    with pytest.raises(HTTPError) as refused:
        post(url, body)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "1")
    assert json.load(refused.value)["code"] == "unavailable"
    assert characters.load(anna) == 0
    assert post(url, body)[0] == HTTPStatus.CREATED


@pytest.fixture
def sequence_behind():
    """As after a restore without the sequences: the next contact would get the id of the last one."""
    bot = characters.source(roster={characters.operator(): 10})
    contact = characters.contact(bot)
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('routing_contact', 'id'), %s, false)", [contact.pk])
    return bot


def test_an_id_that_is_taken_is_no_race_and_the_log_names_its_constraint(sequence_behind, api, caplog):
    body = {"source_id": sequence_behind.pk, "lead_phone": "+79991234567"}
    answer = api.post("/api/v1/contacts", body)
    assert (answer.status_code, answer["Retry-After"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "1")
    assert answer.json()["code"] == "incomplete"
    [found] = [record for record in caplog.records if record.name == "core.retry"]
    assert (found.levelname, found.getMessage().partition(" ")[0]) == ("ERROR", "routing_contact_pkey")
    assert characters.findings() == []


def test_a_value_that_is_never_free_is_named_in_the_log_when_it_is_given_up(caplog, monkeypatch):
    monkeypatch.setattr(retry, "PAUSE", 0)
    bot = characters.source()
    bot.roster.create(operator=characters.operator("Anna"), weight=10)

    def add_again(attempt):
        bot.roster.create(operator=Operator.objects.get(), weight=10)

    with pytest.raises(Busy):
        characters.run_attempts(add_again)
    assert "roster_one_weight_per_source_and_operator" in caplog.text
