"""Whoever stores new identities stores them in one order: two who store the same ones wait, and do not deadlock."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

import pytest

from core import events
from core.retry import Lost
from leads import batch, lead_editing, lead_matching
from leads.models import Identity
from tests import characters
from tests.concurrency.threads import TIMEOUT, closing, until_somebody_waits_for_a_lock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

PHONE, EMAIL = "+79991234567", "anna@example.com"


def edit(lead_id):
    with suppress(lead_editing.Taken):
        lead_editing.edit_lead(lead_id=lead_id, changes={"phone": PHONE, "email": EMAIL})


def write(bot):
    characters.contact(bot, lead_phone=PHONE, lead_email=EMAIL)


def write_in_a_batch(bot):
    people = [{"lead_phone": PHONE}, {"lead_email": EMAIL}]
    batch.register_contacts(items=[{"source_id": bot.pk} | person for person in people])


@pytest.fixture
def deadlocks(monkeypatch):
    """A lead gets a phone and an e-mail. When one is stored, somebody unknown writes with both."""

    def count(writing):
        told = list[object]()
        monkeypatch.setattr(events, "listeners", [told.append])
        bot = characters.source()
        lead = characters.contact(bot).lead
        has_stored_one, may_store_the_other = Event(), Event()
        replace = lead_editing.replace_shown_identity

        def stop(*arguments):
            replace(*arguments)
            has_stored_one.set()
            assert may_store_the_other.wait(TIMEOUT)

        monkeypatch.setattr(lead_editing, "replace_shown_identity", stop)
        with ThreadPoolExecutor(2) as pool:
            editing = pool.submit(closing, lambda: edit(lead.pk))
            assert has_stored_one.wait(TIMEOUT)
            registering = pool.submit(closing, lambda: writing(bot))
            until_somebody_waits_for_a_lock()
            may_store_the_other.set()
            registering.result(TIMEOUT)
            editing.result(TIMEOUT)
        return told.count(Lost("deadlock"))

    return count


@pytest.mark.parametrize("writing", [write, write_in_a_batch])
def test_a_correction_and_a_message_with_the_same_identities_do_not_deadlock(deadlocks, writing):
    assert deadlocks(writing) == 0
    assert Identity.objects.values("lead").distinct().count() == 1


def test_where_messages_store_them_the_other_way_round_they_deadlock(deadlocks, monkeypatch):
    """The control for the test above. The one who lost starts again."""
    monkeypatch.setattr(lead_matching, "storing_order", lambda claim: claim.kind == "email")
    assert deadlocks(write) > 0
