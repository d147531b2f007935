"""A key is followed by another while it still works: two at a time, and never three."""

from datetime import timedelta

import pytest
from django.utils import timezone

from access import keys
from access.keys import CannotRotate
from access.models import ApiKey
from tests.access import callers

pytestmark = [pytest.mark.django_db, pytest.mark.both]


def rotate(new, **fields):
    return keys.rotate_key(key_id=new.key.pk, **fields)


def test_old_and_new_key_work_side_by_side(telegram):
    old = callers.key(telegram)
    new = rotate(old)
    assert keys.find_live_key(old.secret)
    assert keys.find_live_key(new.secret)


def test_the_successor_has_the_same_name_and_scope(telegram):
    old = callers.key(telegram)
    new = rotate(old)
    assert (new.key.name, new.key.source_id) == (old.key.name, telegram.pk)
    assert new.key.prefix != old.key.prefix


def test_the_old_key_may_be_given_an_end(time_machine):
    time_machine.move_to("2026-11-23 12:00:00Z")
    old = callers.key()
    new = rotate(old, old_until=timezone.now() + timedelta(hours=1))
    time_machine.shift(timedelta(hours=1))
    assert keys.find_live_key(old.secret) is None
    assert keys.find_live_key(new.secret)


def test_no_rotation_lets_the_old_key_live_longer():
    tomorrow = timezone.now() + timedelta(days=1)
    old = callers.key(expires_at=tomorrow)
    rotate(old, old_until=tomorrow + timedelta(days=30))
    assert ApiKey.objects.get(pk=old.key.pk).expires_at == tomorrow


def test_two_live_keys_are_not_rotated():
    old = callers.key()
    new = rotate(old)
    for one in (old, new):
        with pytest.raises(CannotRotate):
            rotate(one)
    assert ApiKey.objects.count() == 2


@pytest.mark.parametrize("ends", ["old", "new"])
def test_when_one_of_two_has_ended_the_other_is_rotated(ends):
    old = callers.key()
    pair = {"old": old, "new": rotate(old)}
    keys.revoke_key(key_id=pair.pop(ends).key.pk)
    [other] = pair.values()
    assert rotate(other).key.is_live


def test_a_revoked_key_is_not_rotated():
    old = callers.key()
    keys.revoke_key(key_id=old.key.pk)
    with pytest.raises(CannotRotate):
        rotate(old)


def test_an_expired_key_is_not_rotated():
    with pytest.raises(CannotRotate):
        rotate(callers.key(expires_at=timezone.now()))
