"""An operator declines a contact: it goes to somebody who has not had it, or back to the queue."""

import pytest

from core.errors import Invalid
from leads import erasure
from routing import explanation, lifecycle, operator_actions, taking
from routing.models import Contact, ContactEvent
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=1)


@pytest.fixture
def boris():
    return characters.operator("Boris", limit=1)


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


@pytest.fixture
def with_anna(bot):
    return characters.contact(bot)


def last(contact):
    return contact.history.order_by("pk").last()


def join(bot, *operators):
    for operator in operators:
        bot.roster.create(operator=operator, weight=10)


def test_it_goes_to_somebody_else(bot, anna, boris, with_anna):
    join(bot, boris)
    declined = taking.decline_contact(contact_id=with_anna.pk, by="user anna")
    assert (declined.operator, characters.load(anna), characters.load(boris)) == (boris, 0, 1)
    event = last(with_anna)
    assert (event.what, event.from_operator, event.to_operator, event.by) == ("declined", anna, boris, "user anna")


def test_if_nobody_else_is_free_it_waits(anna, with_anna):
    declined = taking.decline_contact(contact_id=with_anna.pk)
    assert (declined.status, declined.waiting_reason, characters.load(anna)) == ("waiting", "returned", 0)
    assert (last(with_anna).what, last(with_anna).reason) == ("declined", "returned")
    assert characters.findings() == []


def test_it_is_not_offered_to_the_same_one_again(anna, bot, with_anna):
    taking.decline_contact(contact_id=with_anna.pk)
    assert characters.contact(bot).operator == anna
    assert Contact.objects.waiting().get() == with_anna


def test_it_is_not_offered_to_anybody_who_has_had_it(bot, anna, boris, with_anna):
    join(bot, boris)
    lifecycle.reroute_contact(contact_id=with_anna.pk)
    declined = taking.decline_contact(contact_id=with_anna.pk)
    assert (declined.status, declined.offers, characters.load(anna)) == ("waiting", 2, 0)


def test_by_hand_it_may_come_back(anna, with_anna):
    taking.decline_contact(contact_id=with_anna.pk)
    assert lifecycle.give_contact(contact_id=with_anna.pk, operator_id=anna.pk).operator == anna


def test_the_place_that_it_leaves_goes_to_who_waits(anna, bot, with_anna):
    waiting = characters.contact(bot)
    taking.decline_contact(contact_id=with_anna.pk)
    assert lifecycle.find_contact(waiting.pk).operator == anna


def test_it_does_not_overtake_an_older_contact_that_waits_for_the_same_one(anna, boris, bot, with_anna):
    """Boris has joined, and the older contact has not been assigned to him yet."""
    lifecycle.return_contact(contact_id=with_anna.pk)
    newer = characters.contact(bot)
    join(bot, boris)
    assert taking.decline_contact(contact_id=newer.pk).status == "waiting"
    operator_actions.change_operator(operator_id=boris.pk, changes={"max_load": 2})
    assert set(Contact.objects.open().values_list("operator", flat=True)) == {boris.pk}


def test_the_words_are_kept_in_the_history(with_anna):
    taking.decline_contact(contact_id=with_anna.pk, reason="  On lunch\0 ")
    assert last(with_anna).note == "On lunch\ufffd"
    assert explanation.event_text(last(with_anna)).endswith("“On lunch\ufffd”")


@pytest.mark.parametrize("reason", [None, "", "  ", "\u200b"])
def test_nobody_has_to_say_why(reason, with_anna):
    taking.decline_contact(contact_id=with_anna.pk, reason=reason)
    assert last(with_anna).note is None


def test_too_many_words_are_refused(anna, with_anna):
    with pytest.raises(Invalid) as refusal:
        taking.decline_contact(contact_id=with_anna.pk, reason="x" * 201)
    assert [error.field for error in refusal.value.errors] == ["reason"]
    assert lifecycle.find_contact(with_anna.pk).operator == anna


def test_the_words_are_erased_with_the_client(with_anna):
    taking.decline_contact(contact_id=with_anna.pk, reason="Ivan is rude")
    erasure.erase_lead(lead_id=with_anna.lead_id)
    assert not ContactEvent.objects.filter(note__isnull=False).exists()


def test_nothing_is_written_about_an_erased_client(with_anna):
    erasure.erase_lead(lead_id=with_anna.lead_id)
    lifecycle.reopen_contact(contact_id=with_anna.pk)
    taking.decline_contact(contact_id=with_anna.pk, reason="Ivan is rude")
    assert last(with_anna).note is None


def test_the_decision_is_explained(bot, anna, boris, with_anna):
    join(bot, boris)
    taking.decline_contact(contact_id=with_anna.pk)
    why = explanation.explain_decision(contact_id=with_anna.pk)
    assert (why.cause, why.chosen, why.strategy) == ("reassign", boris.pk, "weighted_random")
    assert {one.operator_id: one.reason for one in why.candidates} == {anna.pk: "excluded", boris.pk: None}


def test_a_declined_contact_that_waits_was_decided_by_a_person(with_anna):
    taking.decline_contact(contact_id=with_anna.pk)
    why = explanation.explain_decision(contact_id=with_anna.pk)
    assert (why.strategy, why.chosen, why.reason) == ("manual", None, "returned")
