"""An operator takes or declines a contact while somebody else changes it: one comes first, and the other sees it."""

from threading import Barrier

import pytest

from core.errors import Conflict
from leads import erasure
from operators.models import Operator
from routing import contact_changes, lifecycle, operator_actions, taking
from routing.models import Contact, ContactEvent
from tests import characters
from tests.concurrency.threads import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=2)


@pytest.fixture
def boris():
    return characters.operator("Boris", limit=2, is_active=False)


@pytest.fixture
def contact(anna, boris):
    """One that Anna has; Boris is on duty only from then on."""
    found = characters.contact(characters.source(roster={anna: 10, boris: 10}))
    Operator.objects.update(is_active=True)
    return found


@pytest.fixture
def both_have_read_it(monkeypatch):
    both, find = Barrier(2), lifecycle.find_contact
    meetings = iter([both.wait] * 2)

    def find_and_meet(*asked):
        found = find(*asked)
        meet = next(meetings, None)
        if meet:
            meet(60)
        return found

    monkeypatch.setattr(lifecycle, "find_contact", find_and_meet)


def outcome(verb, **asked):
    """None, or the sentence of the refusal."""
    try:
        verb(**asked)
    except Conflict as refusal:
        return refusal.detail
    return None


def kinds(contact):
    return list(contact.history.order_by("pk").values_list("what", flat=True))


@pytest.mark.parametrize("run", range(5))
def test_taking_and_giving_away_at_once_agree_on_who_has_it(anna, boris, contact, both_have_read_it, run):
    taken, given = together(
        lambda: outcome(taking.accept_contact, contact_id=contact.pk, expected_operator_id=anna.pk),
        lambda: outcome(lifecycle.give_contact, contact_id=contact.pk, operator_id=boris.pk),
    )
    found = Contact.objects.get(pk=contact.pk)
    assert (found.operator, found.accepted_at, given) == (boris, None, None)
    if taken:
        assert (kinds(contact), taken.startswith("Boris has this contact")) == (["registered", "given"], True)
    else:
        assert kinds(contact) == ["registered", "accepted", "given"]
    assert characters.findings() == []


def give_unless_taken(contact, operator):
    """As a time-out does: only from somebody who has not taken it."""
    found = lifecycle.find_contact(contact.pk)
    if found.is_untaken:
        change = contact_changes.change_contact(found, **contact_changes.assigned_to(operator.pk, accept_within=None))
        return change.update(*change.values)
    return 0


@pytest.mark.parametrize("run", range(5))
def test_of_taking_it_and_taking_it_away_from_who_has_not_taken_it_exactly_one_wins(
    anna, boris, contact, both_have_read_it, run
):
    taken, moved = together(
        lambda: outcome(taking.accept_contact, contact_id=contact.pk, expected_operator_id=anna.pk),
        lambda: give_unless_taken(contact, boris),
    )
    found = Contact.objects.get(pk=contact.pk)
    assert (taken is None) == (moved == 0) == (found.operator == anna)
    assert (found.accepted_at is not None) == (found.operator == anna)


@pytest.mark.parametrize("verb", [taking.accept_contact, taking.touch_contact])
def test_taking_it_twice_at_once_is_one_event(verb, contact, both_have_read_it):
    together(*[lambda: verb(contact_id=contact.pk)] * 2)
    assert kinds(contact).count("accepted") == 1


def test_without_looking_again_it_would_be_taken_twice(contact, both_have_read_it, monkeypatch):
    """The control for the test above."""
    monkeypatch.setattr(contact_changes, "MOMENTS", ("resolved_at",))
    together(*[lambda: taking.accept_contact(contact_id=contact.pk)] * 2)
    assert kinds(contact).count("accepted") == 2


def test_declining_twice_at_once_passes_it_on_once(anna, boris, contact, both_have_read_it):
    answers = together(
        *[lambda: outcome(taking.decline_contact, contact_id=contact.pk, expected_operator_id=anna.pk)] * 2
    )
    assert sorted(answer is None for answer in answers) == [False, True]
    assert next(filter(None, answers)).startswith("Boris has this contact")
    assert (characters.load(anna), characters.load(boris)) == (0, 1)
    assert characters.findings() == []


def test_declining_while_it_is_resolved_leaves_load_and_contact_in_agreement(anna, boris, contact, both_have_read_it):
    together(
        lambda: outcome(taking.decline_contact, contact_id=contact.pk, expected_operator_id=anna.pk),
        lambda: outcome(lifecycle.resolve_contact, contact_id=contact.pk, expected_operator_id=anna.pk),
    )
    assert sorted(kinds(contact)[1:]) in (["declined"], ["resolved"])
    assert characters.findings() == []


@pytest.mark.parametrize("run", range(3))
def test_all_contacts_that_are_taken_while_they_are_handed_over_arrive(anna, boris, contact, run):
    contacts = [contact, characters.contact(contact.source)]
    together(
        lambda: operator_actions.hand_over(operator_id=anna.pk),
        *[lambda pk=one.pk: outcome(taking.accept_contact, contact_id=pk) for one in contacts],
    )
    assert not Contact.objects.filter(operator=anna).exists()
    assert characters.findings() == []


@pytest.mark.parametrize("run", range(5))
def test_words_about_a_client_who_is_erased_meanwhile_do_not_stay(contact, both_have_read_it, run):
    together(
        lambda: outcome(taking.decline_contact, contact_id=contact.pk, reason="Ivan is rude"),
        lambda: (lifecycle.find_contact(contact.pk), erasure.erase_lead(lead_id=contact.lead_id)),
    )
    assert kinds(contact)[-1] == "resolved"
    assert not ContactEvent.objects.filter(note__isnull=False).exists()
