"""Possible duplicates, while their leads are merged, separated, erased and corrected by others."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from threading import Event

import pytest

from core import events
from core.errors import Conflict, Unknown
from core.retry import Lost
from leads import contact_editing, erasure, lead_editing, lead_lookup, merging
from leads.models import Lead, PossibleDuplicate
from tests import characters
from tests.concurrency.threads import TIMEOUT, closing, together, until_somebody_waits_for_a_lock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

TRIES = 12  # without the lock the first or the second fails


@pytest.fixture
def bot():
    return characters.source()


@pytest.fixture
def partners_unlocked(monkeypatch):
    """As it was: only the leads that are merged or erased are locked, not those that they are paired with."""
    monkeypatch.setattr(lead_lookup, "partner_ids", lambda lead_ids: set())


def people(bot, number):
    return [characters.contact(bot).lead for _ in range(number)]


def pair(one, other):
    return PossibleDuplicate.objects.create(lead=min(one, other, key=by_id), other=max(one, other, key=by_id))


def by_id(lead):
    return lead.pk


def erase_while_the_double_is_merged(bot):
    person, double, survivor = people(bot, 3)
    pair(person, double)
    together(
        lambda: erasure.erase_lead(lead_id=person.pk),
        lambda: merging.merge_leads(lead_id=survivor.pk, other_id=double.pk),
    )
    return PossibleDuplicate.objects.of([person.pk]).count()


def merge_both_of_a_pair(bot):
    """Each into somebody else, at once."""
    one, other, first, second = people(bot, 4)
    pair(one, other)
    together(
        lambda: merging.merge_leads(lead_id=first.pk, other_id=one.pk),
        lambda: merging.merge_leads(lead_id=second.pk, other_id=other.pk),
    )
    return PossibleDuplicate.objects.mismarked().count()


def test_an_erased_person_is_in_no_pair_even_if_the_double_was_merged_meanwhile(bot):
    assert [erase_while_the_double_is_merged(bot) for _ in range(TRIES)] == [0] * TRIES
    assert characters.findings() == []


def test_without_locking_partners_an_erased_person_stays_in_a_pair(bot, partners_unlocked):
    """The control for the test above."""
    assert any(erase_while_the_double_is_merged(bot) for _ in range(TRIES * 5))


def test_two_merges_at_once_decide_every_pair(bot):
    assert [merge_both_of_a_pair(bot) for _ in range(TRIES)] == [0] * TRIES
    assert characters.findings() == []


def test_without_locking_partners_two_merges_leave_a_pair_undecided(bot, partners_unlocked):
    """The control for the test above."""
    assert any(merge_both_of_a_pair(bot) for _ in range(TRIES * 5))


def test_a_merge_undone_while_the_partner_is_merged_decides_the_pair(bot):
    for _ in range(TRIES):
        one, other, first, second = people(bot, 4)
        pair(one, other)
        merging.merge_leads(lead_id=first.pk, other_id=one.pk)
        together(
            partial(merging.unmerge_lead, lead_id=one.pk),
            partial(merging.merge_leads, lead_id=second.pk, other_id=other.pk),
        )
    assert characters.findings() == []


def test_a_pair_that_is_dismissed_while_one_of_it_is_erased_is_gone_or_dismissed_first(bot):
    for _ in range(TRIES):
        one, other = people(bot, 2)
        marked = pair(one, other)

        def dismiss(pk=marked.pk):
            try:
                merging.dismiss_duplicate(pair_id=pk)
            except Unknown:
                return

        together(dismiss, partial(erasure.erase_lead, lead_id=one.pk))
    assert not PossibleDuplicate.objects.exists()


def test_a_correction_that_finds_a_double_marks_the_lead_that_is_left_of_it(bot):
    """The owner of the phone is merged between the refusal of the correction and the mark."""
    for _ in range(TRIES):
        ann, owner, survivor = people(bot, 3)

        def correct(ann=ann, phone=owner.phone):
            with pytest.raises(lead_editing.Taken):
                lead_editing.edit_lead(lead_id=ann.pk, changes={"phone": phone})

        together(
            correct,
            partial(merging.merge_leads, lead_id=survivor.pk, other_id=owner.pk),
        )
    assert characters.findings() == []


def test_all_who_write_pairs_leave_them_right_and_do_not_deadlock(bot, monkeypatch):
    told = list[object]()
    monkeypatch.setattr(events, "listeners", [told.append])
    numbers = [characters.somebody_new() for _ in range(6)]
    for phone in numbers:
        characters.contact(bot, lead_phone=phone, lead_email=f"{phone[1:]}@example.com")

    def write(step):
        for turn in range(8):
            phone, email = numbers[turn % 6], f"{numbers[(turn + step) % 6][1:]}@example.com"
            characters.contact(bot, lead_phone=phone, lead_email=email, lead_name=f"{step} {turn}")

    def merge_and_separate(step):
        leads = list(Lead.objects.order_by("pk").values_list("pk", flat=True))
        for turn in range(6):
            one, other = leads[turn % 6], leads[(turn + step) % 6]
            try:
                merging.merge_leads(lead_id=one, other_id=other)
                merging.unmerge_lead(lead_id=other)
            except Conflict:
                continue

    together(*[lambda step=step: write(step) for step in (1, 2, 3, 4, 5)], *[lambda: merge_and_separate(1)] * 3)
    assert characters.findings() == []
    assert Lost("deadlock") not in told


VERBS = {
    "register": lambda contact: characters.contact(contact.source, lead_phone=contact.lead.phone),
    "correct the lead": lambda contact: lead_editing.edit_lead(lead_id=contact.lead_id, changes={"name": "Anna"}),
    "correct the message": lambda contact: contact_editing.edit_contact(
        contact_id=contact.pk, changes={"message": "Hello"}
    ),
    "merge": lambda contact: merging.merge_leads(
        lead_id=characters.contact(contact.source).lead_id, other_id=contact.lead_id
    ),
    "erase": lambda contact: erasure.erase_lead(lead_id=contact.lead_id),
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=list(VERBS))
def test_who_waits_for_a_merge_goes_on_with_the_survivor(bot, monkeypatch, verb):
    """Starting again instead would end as busy where merge follows merge: twelve attempts are few for a long chain."""
    told = list[object]()
    monkeypatch.setattr(events, "listeners", [told.append])
    contact, other = characters.contact(bot), characters.contact(bot)
    has_merged, may_commit, move = Event(), Event(), merging.move_to_survivor

    def stop(*arguments):
        monkeypatch.setattr(merging, "move_to_survivor", move)
        move(*arguments)
        has_merged.set()
        assert may_commit.wait(TIMEOUT)

    monkeypatch.setattr(merging, "move_to_survivor", stop)
    with ThreadPoolExecutor(2) as pool:
        merge = pool.submit(closing, partial(merging.merge_leads, lead_id=other.lead_id, other_id=contact.lead_id))
        assert has_merged.wait(TIMEOUT)
        waiting = pool.submit(closing, partial(verb, contact))
        until_somebody_waits_for_a_lock()
        may_commit.set()
        merge.result(TIMEOUT)
        waiting.result(TIMEOUT)
    assert Lost("overtaken") not in told
    assert characters.findings() == []


def test_a_chain_of_thirty_merges_makes_nobody_busy(bot):
    contacts = [characters.contact(bot) for _ in range(30)]
    leads = [contact.lead_id for contact in contacts]

    def merge_all():
        for one, other in pairwise(leads):
            merging.merge_leads(lead_id=other, other_id=one)

    def correct(verb):
        return [verb(contacts[0]) for _ in range(10)]

    corrections = [VERBS["correct the lead"], VERBS["correct the message"]]
    together(merge_all, *[partial(correct, verb) for verb in corrections])
    assert lead_lookup.find_lead(leads[0]).pk == leads[-1]
    for lead_id in leads[-2::-1]:
        merging.unmerge_lead(lead_id=lead_id)
    assert Lead.objects.current().count() == 30
    assert characters.findings() == []


def test_a_chain_of_sixteen_merged_at_once_is_one_lead(bot):
    leads = people(bot, 16)
    together(
        *[
            lambda one=one, other=other: merging.merge_leads(lead_id=one.pk, other_id=other.pk)
            for one, other in pairwise(leads)
        ],
        *[lambda lead=lead: characters.contact(bot, lead_phone=lead.phone) for lead in leads],
    )
    assert Lead.objects.current().count() == 1
    assert characters.findings() == []
