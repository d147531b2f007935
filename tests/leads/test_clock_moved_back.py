"""A clock that is set back in the middle breaks nothing: no rule asks what time it is."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from leads import intake, invariants, lifecycle, queue, staffing, statistics
from leads.models import Contact
from tests import characters

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
EARLIER = NOW - timedelta(days=2)


def test_a_contact_of_tomorrow_can_be_resolved_today():
    anna = characters.operator("Anna")
    bot = characters.source(roster={anna: 10})
    with time_machine.travel(NOW):
        contact = characters.contact(bot)
    with time_machine.travel(EARLIER):
        lifecycle.resolve_contact(contact_id=contact.pk)
        lifecycle.reopen_contact(contact_id=contact.pk)
        lifecycle.resolve_contact(contact_id=contact.pk)
    assert characters.load(anna) == 0


def test_the_queue_keeps_its_order():
    bot = characters.source()
    with time_machine.travel(NOW):
        first = characters.contact(bot)
    with time_machine.travel(EARLIER):
        second = characters.contact(bot)
        anna = characters.operator("Anna", limit=1)
        staffing.set_weight(source_id=bot.pk, operator_id=anna.pk, weight=10)
    assert Contact.objects.get(pk=first.pk).operator_id == anna.pk
    assert Contact.objects.get(pk=second.pk).operator_id is None


def test_sweeping_tallying_and_checking_go_on():
    anna = characters.operator("Anna")
    bot = characters.source(roster={anna: 10})
    with time_machine.travel(NOW):
        characters.contact(bot)
        queue.sweep()
        statistics.tally()
    with time_machine.travel(EARLIER):
        intake.register_contact(source_id=bot.pk, lead_phone=characters.somebody_new())
        queue.sweep()
        statistics.tally()
        assert list(invariants.findings()) == []
    with time_machine.travel(NOW):
        statistics.tally()
        assert list(invariants.findings()) == []
