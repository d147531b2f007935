"""Keys are shown once, recognised by one query, and refused the moment they end."""

import hashlib
from datetime import timedelta

import pytest
from django.utils import timezone

from access import keys
from access.models import ApiKey
from tests.access import callers

pytestmark = [pytest.mark.django_db, pytest.mark.both]

LISTING = "/api/v1/contacts"


def test_a_key_is_256_random_bits_behind_a_readable_prefix():
    new, other = callers.key(), callers.key()
    assert keys.FORM.fullmatch(new.secret)
    assert new.secret.startswith(f"{new.key.prefix}_")
    assert new.secret != other.secret


def test_what_is_stored_does_not_tell_the_key():
    new = callers.key()
    stored = ApiKey.objects.values().get()
    assert stored["digest"] == hashlib.sha256(new.secret.encode()).hexdigest()
    assert new.secret not in str(stored)


def test_a_new_key_printed_by_accident_shows_no_secret():
    new = callers.key()
    assert new.secret not in repr(new)
    assert str(new.key) == new.key.prefix


def test_a_key_is_recognised():
    new = callers.key()
    assert keys.find_live_key(new.secret) == new.key


@pytest.mark.parametrize("wrong", ["", "nonsense", "crm_000000000000_" + "A" * 43, "crm_\0", "ключ", "A" * 100_000])
def test_what_is_no_key_is_not_recognised(wrong):
    assert keys.find_live_key(wrong) is None


def test_every_character_of_a_key_counts():
    secret = callers.key().secret
    assert keys.find_live_key(secret[:-1] + ("A" if secret[-1] != "A" else "B")) is None


def test_what_does_not_look_like_a_key_costs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        keys.find_live_key("A" * 60)


def test_a_key_costs_one_query(django_assert_num_queries):
    secret = callers.key().secret
    keys.find_live_key(secret)  # the first time its use is noted
    with django_assert_num_queries(1):
        keys.find_live_key(secret)


def test_a_revoked_key_is_refused():
    new = callers.key()
    keys.revoke_key(key_id=new.key.pk)
    assert keys.find_live_key(new.secret) is None


def test_revoking_again_changes_nothing():
    new = callers.key()
    keys.revoke_key(key_id=new.key.pk)
    first = ApiKey.objects.get().revoked_at
    keys.revoke_key(key_id=new.key.pk)
    assert ApiKey.objects.get().revoked_at == first


def test_an_expired_key_is_refused(time_machine):
    time_machine.move_to("2026-11-23 12:00:00Z")
    new = callers.key(expires_at=timezone.now() + timedelta(days=1))
    assert keys.find_live_key(new.secret)
    time_machine.shift(timedelta(days=1))
    assert keys.find_live_key(new.secret) is None


def test_a_use_of_a_clock_that_was_ahead_does_not_stand_until_then(time_machine):
    time_machine.move_to("2026-11-23 15:00:00Z", tick=False)
    secret = callers.key().secret
    keys.find_live_key(secret)
    time_machine.move_to("2026-11-23 12:00:00Z", tick=False)
    keys.find_live_key(secret)
    assert f"{ApiKey.objects.get().last_used_at:%H:%M}" == "12:00"


def test_the_last_use_is_noted_once_a_minute(time_machine, django_assert_num_queries):
    time_machine.move_to("2026-11-23 12:00:00Z", tick=False)
    secret = callers.key().secret
    for seconds, noted in [(0, "12:00:00"), (59, "12:00:00"), (1, "12:01:00")]:
        time_machine.shift(seconds)
        keys.find_live_key(secret)
        assert f"{ApiKey.objects.get().last_used_at:%H:%M:%S}" == noted


def test_python_and_the_database_agree_on_which_keys_are_live(time_machine):
    live, revoked, expired = callers.key(), callers.key(), callers.key(expires_at=timezone.now())
    keys.revoke_key(key_id=revoked.key.pk)
    assert [key.state for key in ApiKey.objects.order_by("pk")] == ["live", "revoked", "expired"]
    assert list(ApiKey.objects.live()) == [live.key]
    assert expired.key not in ApiKey.objects.live()
