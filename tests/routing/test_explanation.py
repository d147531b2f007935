import pytest
from django.core.management import CommandError, call_command

from core.changes.models import Via
from core.changes.recording import Author
from operators.models import Operator
from routing import explanation, lifecycle, operator_actions
from routing.models import ContactEvent, Source
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return characters.operator("Anna")


@pytest.fixture
def boris():
    return characters.operator("Boris")


@pytest.fixture
def bot(anna, boris):
    return characters.source(roster={anna: 10, boris: 30})


def explain(contact):
    return explanation.explain_decision(contact_id=contact.pk)


def told(contact):
    return [explanation.event_text(event) for event in explanation.list_events(contact_id=contact.pk)]


def test_a_draw_is_explained_with_everybodys_chance(anna, boris, bot):
    why = explain(characters.contact(bot, draw=lambda: 0.5))
    assert (why.cause, why.strategy, why.draw, why.chosen) == ("intake", "weighted_random", 0.5, boris.pk)
    assert [(member.name, member.probability) for member in why.candidates] == [("Anna", 0.25), ("Boris", 0.75)]
    assert why.text == "Boris was drawn at random by weight, with a probability of 75%."


def test_who_was_not_available_is_named_with_the_reason(anna, boris, bot):
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False})
    why = explain(characters.contact(bot))
    assert [(member.eligible, member.reason) for member in why.candidates] == [(False, "inactive"), (True, None)]
    assert why.text.endswith("probability of 100%; 1 of 2 were not available.")


def test_nobody_is_explained_too():
    why = explain(characters.contact(characters.source()))
    assert (why.chosen, why.reason, why.draw, list(why.candidates)) == (None, "no_operators", None, [])
    assert why.text == "Not assigned: the source has no roster."


def test_the_one_who_gave_it_back_is_excluded(anna, boris, bot):
    contact = characters.contact(bot, draw=lambda: 0.1)
    lifecycle.return_contact(contact_id=contact.pk)
    why = explain(contact)
    assert (why.cause, why.chosen, why.candidates[0].reason) == ("queue", boris.pk, "excluded")


def test_a_known_lead_goes_to_its_operator_in_a_sticky_source(anna, boris, bot):
    Source.objects.filter(pk=bot.pk).update(is_sticky=True)
    phone = characters.somebody_new()
    characters.contact(bot, lead_phone=phone, draw=lambda: 0.1)
    again = characters.contact(bot, lead_phone=phone, draw=lambda: 0.9)
    assert (again.operator_id, explain(again).strategy) == (anna.pk, "sticky")
    assert explain(again).text == "Anna had this lead before and was free."


def test_a_known_lead_whose_operator_is_off_duty_is_routed_afresh(anna, boris, bot):
    Source.objects.filter(pk=bot.pk).update(is_sticky=True)
    phone = characters.somebody_new()
    characters.contact(bot, lead_phone=phone, draw=lambda: 0.1)
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": False})
    again = characters.contact(bot, lead_phone=phone)
    assert (again.operator_id, explain(again).strategy) == (boris.pk, "weighted_random")


def test_by_hand_is_said_to_be_by_hand(anna, boris, bot):
    contact = characters.contact(bot, draw=lambda: 0.1)
    lifecycle.give_contact(contact_id=contact.pk, operator_id=boris.pk, by="user anna")
    why = explain(contact)
    assert (why.cause, why.strategy, why.chosen) == ("manual", "manual", boris.pk)


def test_the_history_reads_like_sentences(anna, boris, bot):
    contact = characters.contact(bot, draw=lambda: 0.1, by="API")
    lifecycle.give_contact(contact_id=contact.pk, operator_id=boris.pk, by="user maria")
    lifecycle.resolve_contact(contact_id=contact.pk, by="API")
    lifecycle.reopen_contact(contact_id=contact.pk, by="API")
    operator_actions.hand_over(operator_id=boris.pk, author=Author("user maria", Via.PAGE))
    lifecycle.return_contact(contact_id=contact.pk, by="user maria")
    assert told(contact) == [
        "Registered by API: to Anna.",
        "Assigned manually by user maria: from Anna to Boris.",
        "Resolved by API; the operator was Boris.",
        "Reopened by API: to Boris.",
        "Handed over by user maria: from Boris to Anna.",
        "Returned to the queue by user maria, from Anna.",
    ]


def test_a_contact_behind_older_ones_says_so():
    anna = characters.operator("Anna", limit=1, is_active=False)
    bot = characters.source(roster={anna: 1})
    characters.contact(bot)
    Operator.objects.filter(pk=anna.pk).update(is_active=True)
    behind = characters.contact(bot)
    assert explain(behind).text.startswith("It joined the queue")


def test_every_stored_decision_can_be_recomputed(bot, capsys):
    for strategy in ("weighted_random", "smooth", "least_loaded"):
        Source.objects.filter(pk=bot.pk).update(strategy=strategy)
        for _ in range(8):
            characters.contact(bot)
    call_command("verify_decisions")
    assert "Every stored decision" in capsys.readouterr().out


def test_a_decision_that_does_not_follow_from_its_evidence_is_found(anna, bot):
    contact = characters.contact(bot, draw=lambda: 0.9)
    ContactEvent.objects.filter(contact=contact).update(to_operator=anna)
    with pytest.raises(CommandError, match=f"Contact {contact.pk}, event .* stored {anna.pk}, recomputed "):
        call_command("verify_decisions")


def test_a_reopened_contact_that_went_back_says_so(anna, bot):
    contact = characters.contact(bot, draw=lambda: 0.1)
    lifecycle.resolve_contact(contact_id=contact.pk)
    lifecycle.reopen_contact(contact_id=contact.pk)
    why = explain(contact)
    assert (why.cause, why.strategy, why.chosen, why.draw) == ("reopen", "same_operator", anna.pk, None)
    assert why.text == "Anna had this contact before and was free."
