"""`prune`: idempotency keys are kept for so many days."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.utils import timezone

from leads import idempotency
from routing.models import Contact, Upkeep
from tests import characters

pytestmark = pytest.mark.django_db

ANNA = "+79990000001"


@pytest.fixture
def bot():
    return characters.source()


@pytest.fixture
def contact_of(bot):
    """A contact with this key, registered so many days ago."""

    def register(key, *, days):
        contact = characters.contact(bot, idempotency_key=key, lead_phone=ANNA)
        Contact.objects.filter(pk=contact.pk).update(created_at=timezone.now() - timedelta(days=days))
        return contact

    return register


def keys():
    return list(Contact.objects.order_by("pk").values_list("idempotency_key", flat=True))


def test_old_keys_are_forgotten_and_young_ones_stay(contact_of, capsys):
    contact_of("old", days=31)
    contact_of("young", days=29)
    call_command("prune")
    assert keys() == [None, "young"]
    assert "Deleted 1 idempotency keys older than 30 days" in capsys.readouterr().out


def test_the_setting_says_how_long(contact_of, settings):
    settings.IDEMPOTENCY_DAYS = 2
    contact_of("a", days=3)
    call_command("prune")
    assert keys() == [None]


def test_a_forgotten_key_makes_a_new_contact(bot, contact_of):
    first = contact_of("a", days=31)
    call_command("prune")
    assert characters.contact(bot, idempotency_key="a", lead_phone=ANNA).pk != first.pk


def test_pruning_goes_on_where_it_stopped(contact_of, monkeypatch):
    monkeypatch.setattr(idempotency, "TOGETHER", 2)
    for number in range(5):
        contact_of(str(number), days=40 - number)
    now = timezone.now()
    assert idempotency.forget_old_keys(older_than=now - timedelta(days=38.5)) == 2
    assert keys() == [None, None, "2", "3", "4"]
    assert idempotency.forget_old_keys(older_than=now) == 3
    assert idempotency.forget_old_keys(older_than=now) == 0


def test_contacts_of_one_moment_are_all_forgotten(contact_of, monkeypatch):
    monkeypatch.setattr(idempotency, "TOGETHER", 2)
    for number in range(5):
        contact_of(str(number), days=31)
    Contact.objects.update(created_at=timezone.now() - timedelta(days=31))
    call_command("prune")
    assert keys() == [None] * 5


def test_where_nothing_is_new_no_contact_is_read(contact_of, django_assert_num_queries):
    contact_of("a", days=31)
    until = timezone.now() - timedelta(days=30)
    idempotency.forget_old_keys(older_than=until)
    with django_assert_num_queries(3) as asked:  # the note, what has come since, and how far that goes
        idempotency.forget_old_keys(older_than=until)
    assert '"created_at" >=' in asked[1]["sql"]


def test_sessions_that_are_over_are_deleted():
    now = timezone.now()
    for name, days in [("over", -1), ("young", 1)]:
        Session.objects.create(session_key=name, session_data="", expire_date=now + timedelta(days=days))
    call_command("prune")
    assert list(Session.objects.values_list("session_key", flat=True)) == ["young"]


def test_a_part_that_fails_does_not_stop_the_others_and_the_run_is_not_done(monkeypatch):
    def broken(**_):
        raise ValueError

    monkeypatch.setattr(idempotency, "forget_old_keys", broken)
    Session.objects.create(session_key="old", session_data="", expire_date=timezone.now() - timedelta(days=1))
    with pytest.raises(SystemExit):
        call_command("prune")
    assert not Session.objects.exists()
    assert not Upkeep.objects.filter(pruned_at__isnull=False).exists()
