"""So many calls a minute with one key, in all processes together."""

from itertools import cycle, islice

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from access import throttle
from access.models import ApiKey
from routing.models import Contact
from tests.access import callers

pytestmark = pytest.mark.django_db

QUEUE = "/api/v1/queue"


@pytest.fixture(autouse=True)
def ten_a_minute(settings, time_machine):
    settings.THROTTLE_PER_MINUTE = 10
    time_machine.move_to("2026-11-23 12:00:15Z", tick=False)


def statuses(client, times):
    return [client.get(QUEUE).status_code for _ in range(times)]


def admitted(calls, *, limit, processes):
    """How many of so many calls pass, when they fall to the processes in turn."""
    key, each = callers.key().key, [throttle.Allowance() for _ in range(processes)]
    return sum(passes(one, key, limit=limit) for one in islice(cycle(each), calls))


def passes(process, key, *, limit, calls=1):
    return process.take_calls(key.pk, calls=calls, now=timezone.now(), limit=limit) is None


def test_the_limit_is_let_through_and_the_next_call_is_a_429():
    assert statuses(callers.office(), 12) == [200] * 10 + [429] * 2


def test_a_429_says_when_to_come_back():
    client = callers.office()
    statuses(client, 10)
    answer = client.get(QUEUE)
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Retry-After"] == "51"  # in the next minute, when a tenth of this one is forgotten


def test_who_comes_back_then_is_let_through_and_no_earlier(time_machine):
    client = callers.office()
    statuses(client, 11)
    time_machine.shift(50)
    assert statuses(client, 1) == [429]
    time_machine.shift(1)
    assert statuses(client, 2) == [200, 429]


def test_the_turn_of_a_minute_gives_no_second_helping(time_machine):
    client = callers.office()
    time_machine.move_to("2026-11-23 12:00:59Z", tick=False)
    assert statuses(client, 10) == [200] * 10
    time_machine.shift(2)
    assert statuses(client, 1) == [429]


@pytest.mark.parametrize(("seconds", "passing"), [(45, 0), (75, 5), (105, 10)])
def test_what_a_minute_has_used_is_forgotten_evenly_in_the_next(time_machine, seconds, passing):
    client = callers.office()
    statuses(client, 10)
    time_machine.shift(seconds)
    assert statuses(client, 11) == [200] * passing + [429] * (11 - passing)


@pytest.mark.parametrize("limit", [10, 600])
def test_who_calls_evenly_and_a_tenth_below_the_limit_is_never_refused(time_machine, limit):
    key, process = callers.key().key, throttle.Allowance()
    for _ in range(3 * limit):
        assert passes(process, key, limit=limit)
        time_machine.shift(60 / (0.9 * limit))


def batch_of(client, source, size):
    return client.post("/api/v1/contacts/batch", {"contacts": [callers.somebody_at(source)] * size})


def test_a_batch_counts_as_many_calls_as_it_has_contacts(telegram):
    client = callers.bot(telegram)
    assert batch_of(client, telegram, 7).status_code == 200
    assert batch_of(client, telegram, 4).status_code == 429
    assert batch_of(client, telegram, 3).status_code == 200
    assert client.get("/api/v1/contacts").status_code == 429


def test_a_batch_that_is_refused_has_registered_nothing_and_comes_back_when_it_is_told(telegram, time_machine):
    client = callers.bot(telegram)
    batch_of(client, telegram, 7)
    refused = batch_of(client, telegram, 4)
    assert Contact.objects.count() == 7
    time_machine.shift(int(refused["Retry-After"]) - 1)
    assert batch_of(client, telegram, 4).status_code == 429
    time_machine.shift(1)
    assert batch_of(client, telegram, 4).status_code == 200


def test_a_batch_that_could_never_pass_is_told_so(telegram):
    answer = batch_of(callers.bot(telegram), telegram, 11)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert "This counts as 11 calls; the limit of this key is 10 a minute." in answer.json()["detail"]


@pytest.mark.parametrize("body", [[], {}, {"contacts": []}, {"contacts": 5}, {"contacts": [{}] * 501}])
def test_a_batch_that_registers_nobody_is_one_call(body):
    client = callers.office()
    answers = [client.post("/api/v1/contacts/batch", body) for _ in range(11)]
    assert [answer.status_code for answer in answers[9:]] == [answers[0].status_code, 429]


CONTACTS, BATCH = "/api/v1/contacts", "/api/v1/contacts/batch"
FOREIGN = '{"source_id": 404, "lead_phone": "+79990000001"}'
FOR_NOBODY = [
    (404, "GET", f"{CONTACTS}/404", ""),
    (400, "POST", CONTACTS, "{"),
    (400, "POST", BATCH, "{"),
    (400, "POST", BATCH, '{"contacts": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}'),
]
FOR_MANAGEMENT = [
    (403, "GET", QUEUE, ""),
    (403, "DELETE", f"{CONTACTS}/404", ""),
    (403, "POST", CONTACTS, FOREIGN),
    (403, "POST", BATCH, f'{{"contacts": [{FOREIGN}]}}'),
]


@pytest.mark.parametrize(("status", "method", "path", "body"), FOR_NOBODY + FOR_MANAGEMENT)
def test_what_a_bot_is_refused_counts_as_well(telegram, status, method, path, body):
    bot = callers.bot(telegram)
    answers = [bot.generic(method, path, body, "application/json").status_code for _ in range(11)]
    assert answers == [status] * 10 + [429]


@pytest.mark.parametrize(("status", "method", "path", "body"), FOR_NOBODY)
def test_what_management_is_refused_counts_as_well(status, method, path, body):
    office = callers.office()
    answers = [office.generic(method, path, body, "application/json").status_code for _ in range(11)]
    assert answers == [status] * 10 + [429]


@pytest.mark.parametrize("path", [CONTACTS, BATCH])
def test_what_is_no_json_counts_as_well(telegram, path):
    bot = callers.bot(telegram)
    assert [bot.generic("POST", path, "hello", "text/plain").status_code for _ in range(11)] == [415] * 10 + [429]


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("body", ["{", '{"contacts": 5}'])
def test_counting_changes_no_answer(settings, method, body):
    office = callers.office()
    counted = office.generic(method, BATCH, body, "application/json")
    settings.THROTTLE_PER_MINUTE = 0
    free = office.generic(method, BATCH, body, "application/json")
    assert (counted.status_code, counted.json()) == (free.status_code, free.json())


def test_each_key_has_its_own_count(telegram):
    statuses(callers.office(), 11)
    assert callers.bot(telegram).get("/api/v1/contacts").status_code == 200


def test_zero_is_no_limit(settings):
    settings.THROTTLE_PER_MINUTE = 0
    assert statuses(callers.office(), 15) == [200] * 15


def test_zero_costs_no_query(settings, django_assert_num_queries):
    settings.THROTTLE_PER_MINUTE = 0
    client = callers.office()
    statuses(client, 1)
    with django_assert_num_queries(1 + 1):  # the key, and what was asked for
        statuses(client, 1)


@pytest.mark.parametrize(("limit", "processes"), [(10, 1), (10, 4), (39, 5), (600, 1)])
def test_the_count_is_exact_in_one_process_and_below_forty_in_any_number(limit, processes):
    assert admitted(2 * limit, limit=limit, processes=processes) == limit


def test_several_processes_never_let_more_through_and_use_up_all_while_they_share_the_calls():
    assert admitted(1200, limit=600, processes=4) == 600


def test_what_an_idle_process_has_taken_is_lost_and_no_more():
    key, idle, busy = callers.key().key, throttle.Allowance(), throttle.Allowance()
    assert passes(idle, key, limit=600)
    passed = sum(passes(busy, key, limit=600) for _ in range(600))
    assert passed == 600 - 600 // throttle.PARTS


def test_six_hundred_calls_cost_twenty_looks_at_the_count(django_assert_num_queries):
    with django_assert_num_queries(4 + 20 * 4):  # the key is made and recorded; each time: begin, lock, save, end
        admitted(600, limit=600, processes=1)


def test_a_flood_that_is_refused_writes_nothing():
    client = callers.office()
    statuses(client, 12)
    before = ApiKey.objects.values().get()
    statuses(client, 20)
    assert ApiKey.objects.values().get() == before


def test_a_flood_of_strangers_touches_no_database():
    with CaptureQueriesContext(connection) as seen:
        for header in ({}, {"Authorization": "Bearer guess"}):
            assert APIClient().get(QUEUE, headers=header).status_code == 401
    assert len(seen) == 0


def test_a_flood_of_guesses_with_a_known_prefix_writes_nothing():
    new = callers.key()
    guess = callers.with_key(f"{new.key.prefix}_{'A' * 43}")
    with CaptureQueriesContext(connection) as seen:
        assert statuses(guess, 3) == [401] * 3
    assert [query["sql"].split()[0] for query in seen] == ["SELECT"] * 3


def test_counting_leaves_one_count_for_a_key_however_many_minutes_pass(time_machine):
    client = callers.office()
    for _ in range(3):
        statuses(client, 5)
        time_machine.shift(60)
    assert ApiKey.objects.values_list("taken", flat=True).get() == 5
    assert throttle.allowance.left.keys() == {ApiKey.objects.get().pk}


@pytest.mark.parametrize("seconds", [-3600, -120])
def test_a_clock_that_was_set_back_counts_afresh(time_machine, seconds):
    client = callers.office()
    statuses(client, 11)
    time_machine.shift(seconds)
    assert statuses(client, 11) == [200] * 10 + [429]


def test_the_minute_of_a_host_whose_clock_is_a_little_ahead_goes_on():
    key, now = callers.key().key, timezone.now()
    assert throttle.take_calls(key.pk, calls=1, now=now + throttle.MINUTE, limit=1)[0] == 1
    assert throttle.take_calls(key.pk, calls=1, now=now, limit=1)[0] == 0
