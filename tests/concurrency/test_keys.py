"""Keys that several people change, and several processes count, at once."""

from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from django.utils import timezone

from access import keys, throttle
from access.keys import CannotRotate
from access.models import ApiKey
from tests.access import callers
from tests.concurrency.threads import TIMEOUT, together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


def rotate_together(threads, monkeypatch, *, patience):
    """How many of them made a successor. Each waits so many seconds for the others before it makes one."""
    key = callers.key().key
    begun, live_in_lineage = Barrier(threads), keys.live_in_lineage

    def count_and_meet(old):
        counted = live_in_lineage(old)
        with suppress(BrokenBarrierError):  # with the lock they come one by one
            begun.wait(patience)
        return counted

    monkeypatch.setattr(keys, "live_in_lineage", count_and_meet)

    def rotate():
        try:
            return keys.rotate_key(key_id=key.pk)
        except CannotRotate:
            return None

    return sum(new is not None for new in together(*[rotate] * threads))


def test_a_key_is_rotated_once_however_many_ask_at_once(monkeypatch):
    assert rotate_together(4, monkeypatch, patience=2) == 1
    assert ApiKey.objects.live().count() == 2


def test_without_the_lock_it_is_rotated_several_times(monkeypatch):
    """The control for the test above."""
    monkeypatch.setattr(keys, "lock_key", lambda key_id: ApiKey.objects.get(pk=key_id))
    assert rotate_together(4, monkeypatch, patience=TIMEOUT) > 1


def test_a_key_that_is_revoked_while_it_is_rotated_stays_revoked(monkeypatch):
    """A rotation that writes back more than it changed would bring it to life again."""
    key = callers.key().key
    together(
        lambda: keys.revoke_key(key_id=key.pk),
        lambda: rotate_unless_revoked(key),
    )
    assert ApiKey.objects.get(pk=key.pk).revoked_at is not None
    assert ApiKey.objects.live().count() <= 1


def rotate_unless_revoked(key):
    with suppress(CannotRotate):
        keys.rotate_key(key_id=key.pk, old_until=timezone.now() + throttle.MINUTE)


def passed(allowance, key, *, times, now, limit):
    return sum(allowance.take_calls(key.pk, calls=1, now=now, limit=limit) is None for _ in range(times))


def calls_at_once(processes, limit):
    """How many of twice the limit pass, all processes beginning at the same moment."""
    key, now = callers.key().key, timezone.now()

    def process():
        allowance = throttle.Allowance()
        return passed(allowance, key, times=2 * limit, now=now, limit=limit)

    return sum(together(*[process] * processes))


def test_processes_that_count_at_once_let_the_limit_through_exactly():
    assert calls_at_once(processes=4, limit=30) == 30


def test_without_the_lock_they_let_more_through(monkeypatch):
    """The control for the test above: all have read the count before any writes it."""
    everybody_has_read = Barrier(4)

    def read_and_meet(key_id):
        key = ApiKey.objects.get(pk=key_id)
        with suppress(BrokenBarrierError):
            everybody_has_read.wait(TIMEOUT)
            everybody_has_read.abort()  # they meet once
        return key

    monkeypatch.setattr(keys, "lock_key", read_and_meet)
    assert calls_at_once(processes=4, limit=30) > 30


def test_threads_of_one_process_let_the_limit_through_exactly():
    key, now, allowance = callers.key().key, timezone.now(), throttle.Allowance()

    def thread():
        return passed(allowance, key, times=400, now=now, limit=600)

    assert sum(together(*[thread] * 4)) == 600
