import json
from contextlib import suppress

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.db.snapshot import read_snapshot
from operators.models import Operator
from routing.models import Contact
from routing.replay import contacts, replay
from tests import characters
from tests.concurrency.threads import together


@pytest.mark.django_db
def test_what_agrees_is_summed_up(desk, capsys):
    call_command("replay")
    printed = capsys.readouterr().out
    assert "Replayed 4 contacts with" in printed
    assert "2 open with 1 operators, 1 waiting in 1 sources." in printed
    assert "agree" in printed


@pytest.mark.django_db
def test_a_difference_is_an_error_with_a_list(desk):
    Operator.objects.filter(pk=desk.anna.pk).update(current_load=7)
    with pytest.raises(CommandError, match=r"Anna\) has a load of 7, but 2 open contacts by the history"):
        call_command("replay")


@pytest.mark.django_db
def test_programs_get_all_that_was_rebuilt(desk, capsys):
    Contact.objects.filter(pk=desk.waiting.pk).update(operator=desk.boris, waiting_reason=None)
    with pytest.raises(SystemExit) as end:
        call_command("replay", "--json")
    assert end.value.code == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["contacts"] == 4
    assert printed["loads"] == [{"operator_id": desk.anna.pk, "open": 2}]
    [queue] = printed["queues"]
    assert (queue["source_id"], queue["waiting"]) == (desk.bot.pk, 1)
    assert queue["first"] == [{"contact_id": desk.waiting.pk, "since": "2026-03-30T10:20:00+00:00"}]
    assert {"source_id", "operator_id", "assigned"} == set(printed["shares"][0])
    assert printed["counts"] == {"contact": 1}
    [difference] = printed["differences"]
    assert (difference["kind"], difference["ids"]) == ("contact", {"contact": desk.waiting.pk})


@pytest.mark.django_db
def test_settings_without_any_record_are_said(capsys):
    characters.operator("Anna")
    call_command("replay")
    assert "settings have no record of any change" in capsys.readouterr().out


@pytest.mark.django_db
def test_contacts_are_read_in_pages(desk, monkeypatch):
    monkeypatch.setattr(contacts, "TOGETHER", 3)
    done = replay()
    assert (done.contacts, done.found.counts) == (4, {})


@pytest.mark.django_db
def test_the_number_of_statements_does_not_grow_with_the_contacts(desk):
    def statements():
        with CaptureQueriesContext(
            connection,
        ) as seen:
            replay()
        return len(seen)

    few = statements()
    for _ in range(20):
        characters.contact(desk.bot)
    assert statements() == few


@pytest.mark.django_db(transaction=True)
def test_the_service_goes_on_meanwhile_and_is_not_seen():
    bot = characters.source(roster={characters.operator(): 10})
    characters.contact(bot)
    with read_snapshot():
        assert Contact.objects.count() == 1
        [registered] = together(lambda: characters.contact(bot))
        assert registered.operator_id
        assert Contact.objects.count() == 1
        assert replay_inside() == 1
    assert Contact.objects.count() == 2


def replay_inside():
    done = replay()
    assert done.found.counts == {}
    return done.contacts


@pytest.mark.django_db(transaction=True)
def test_a_snapshot_ends_also_when_reading_fails():
    with suppress(ZeroDivisionError), read_snapshot():
        Contact.objects.count()
        raise ZeroDivisionError
    with transaction.atomic():
        characters.operator()
    assert Operator.objects.count() == 1
