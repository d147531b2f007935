"""Old notices are deleted, except those whose messages may still have to be edited."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from notifications.messenger.models import Alarm, Channel, Notice
from routing import lifecycle
from tests import characters

LONG_AGO = timezone.now() - timedelta(days=31)


@pytest.fixture
def channel(db):
    return Channel.objects.create(operator=characters.operator("Anna"), kind="email", address="a@example.com")


def old_notice(channel, **fields):
    notice = Notice.objects.create(channel=channel, type="contact.assigned", state="sent", **fields)
    Notice.objects.filter(pk=notice.pk).update(created_at=LONG_AGO)
    return notice


def test_old_notices_are_deleted_and_new_ones_and_those_of_open_contacts_kept(channel):
    bot = characters.source(roster={channel.operator: 10})
    done, still_open = characters.contact(bot), characters.contact(bot)
    lifecycle.resolve_contact(contact_id=done.pk)
    kept = {old_notice(channel, contact=still_open).pk, Notice.objects.create(channel=channel, type="alarm").pk}
    old_notice(channel, contact=done)
    call_command("prune")
    assert set(Notice.objects.values_list("pk", flat=True)) == kept


def test_alarms_that_are_over_go_with_their_notices(channel):
    alarm = Alarm.objects.create(kind="full", since=LONG_AGO, seen_at=LONG_AGO, over_at=LONG_AGO)
    lasting = Alarm.objects.create(kind="full", since=LONG_AGO, seen_at=LONG_AGO)
    old_notice(channel, alarm=alarm)
    call_command("prune")
    assert list(Alarm.objects.all()) == [lasting]


def test_a_dry_run_counts_them(channel, capsys):
    old_notice(channel)
    call_command("prune", "--dry-run")
    assert "1 notifications older than 30 days" in capsys.readouterr().out
    assert Notice.objects.exists()
