"""Somebody is merged just while they write: the message ends with the survivor."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event

import pytest

from core.errors import Conflict
from leads import lead_matching, merging, registration
from leads.models import Identity, Lead
from routing import assignment
from routing.models import Contact
from tests import characters
from tests.concurrency.threads import TIMEOUT, closing, together, until_somebody_waits_for_a_lock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def bot():
    return characters.source()


@pytest.fixture
def anna(bot):
    return characters.contact(bot, lead_phone="+79990000001").lead


@pytest.fixture
def ann(bot):
    return characters.contact(bot, lead_phone=None, lead_email="ann@example.com").lead


@pytest.fixture
def recognised(monkeypatch):
    """Stops the next registration after it has recognised its lead: (it has, it may go on)."""
    has, may, assign = Event(), Event(), assignment.assign

    def stop(**asked):
        has.set()
        assert may.wait(TIMEOUT)
        return assign(**asked)

    monkeypatch.setattr(registration, "assign", stop)
    return has, may


def merge_while_ann_writes(bot, anna, ann, recognised, *, waits):
    """Merges after Ann has been recognised and before her contact is stored; returns the contact."""
    has, may = recognised
    with ThreadPoolExecutor(2) as pool:
        writing = pool.submit(closing, lambda: characters.contact(bot, lead_phone=None, lead_email="ann@example.com"))
        assert has.wait(TIMEOUT)
        merge = pool.submit(closing, lambda: merging.merge_leads(lead_id=anna.pk, other_id=ann.pk))
        if waits:
            until_somebody_waits_for_a_lock()
        else:
            merge.result(60)
        may.set()
        merge.result(60)
        return Contact.objects.get(pk=writing.result(60).pk)


def test_a_message_that_comes_with_a_merge_ends_with_the_survivor(bot, anna, ann, recognised):
    contact = merge_while_ann_writes(bot, anna, ann, recognised, waits=True)
    assert contact.lead_id == anna.pk
    assert characters.findings() == []


def test_without_locking_identities_it_ends_with_the_merged_lead(bot, anna, ann, recognised, monkeypatch):
    """The control for the test above."""

    def unlocked(claims):
        return lead_matching.owned(lead_matching.identities_of_claims(claims))

    monkeypatch.setattr(lead_matching, "locked_identities", unlocked)
    registration.owners_of.cache_clear()
    try:
        contact = merge_while_ann_writes(bot, anna, ann, recognised, waits=False)
    finally:
        registration.owners_of.cache_clear()
    assert contact.lead_id == ann.pk
    assert [text for text in characters.findings() if "is merged into another" in text]


def test_two_who_merge_each_other_end_as_one_lead(anna, ann):
    together(
        *[lambda: merging.merge_leads(lead_id=anna.pk, other_id=ann.pk)] * 4,
        *[lambda: merging.merge_leads(lead_id=ann.pk, other_id=anna.pk)] * 4,
    )
    assert Lead.objects.current().count() == 1
    assert Identity.objects.values("lead").distinct().count() == 1


def test_merging_and_undoing_under_fire_neither_fails_nor_strands_anything(bot, anna, ann):
    both = {"lead_phone": "+79990000001", "lead_email": "ann@example.com"}
    people = [{"lead_phone": "+79990000001"}, {"lead_phone": None, "lead_email": "ann@example.com"}, both]

    def write(person):
        for name in ("Anna", "Ann", None):
            characters.contact(bot, **person, lead_name=name)

    def merge_and_undo():
        for _ in range(5):
            with suppress(Conflict):
                merging.merge_leads(lead_id=anna.pk, other_id=ann.pk)
                merging.unmerge_lead(lead_id=ann.pk)

    together(*[lambda person=person: write(person) for person in people * 6], *[merge_and_undo] * 6)
    assert Contact.objects.count() == 2 + 18 * 3
    assert Identity.objects.count() == 2
    assert characters.findings() == []
