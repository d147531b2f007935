"""A clock that is set back while bots write, as a correction of the time would do it. Rules: tests/leads."""

from datetime import UTC, datetime, timedelta

import pytest
from rest_framework.test import APIClient

from routing import lifecycle, queue, tallies
from routing.models import Contact
from tests import characters
from tests.concurrency.threads import together
from tests.service.running import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
BOTS, EACH = 8, 6


def bot_writes(source, key):
    """Each message twice: the second is a repetition, whatever time it is."""

    def write():
        statuses, contacts = set(), []
        for number in range(2 * EACH):
            body = {"source_id": source.pk, "lead_external_id": f"{key}-{number // 2}"}
            headers = {"Idempotency-Key": f"{key}-{number // 2}"}
            answer = APIClient().post("/api/v1/contacts", body, headers=headers)
            statuses.add(answer.status_code)
            contacts.append(answer.json()["id"])
        assert statuses == {201}
        assert contacts[::2] == contacts[1::2]

    return write


def test_bots_notice_nothing(time_machine):
    time_machine.move_to(NOW)
    bot = characters.source(roster={characters.operator(limit=5): 10, characters.operator("Boris", limit=5): 20})

    def set_back():
        for hours in (1, 24, 48):
            wait_until(lambda: Contact.objects.open().count() >= 5, "the bots are at work")
            time_machine.move_to(NOW - timedelta(hours=hours))
            for contact in Contact.objects.open():
                lifecycle.resolve_contact(contact_id=contact.pk)
            queue.sweep_queue()

    together(*(bot_writes(bot, number) for number in range(BOTS)), set_back)
    tallies.tally_hours()

    assert Contact.objects.count() == BOTS * EACH
    assert characters.findings() == []
