import pytest

from core.errors import Unknown
from operators.models import Operator
from routing import lifecycle, operator_actions, source_actions
from routing.models import Contact, Source
from tests import characters

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=3)


@pytest.fixture
def boris():
    return characters.operator("Boris", limit=1, is_active=False)


@pytest.fixture
def with_anna(anna, boris):
    bot = characters.source(roster={anna: 10, boris: 10})
    contacts = [characters.contact(bot).pk for _ in range(3)]
    Operator.objects.filter(pk=boris.pk).update(is_active=True)
    return contacts


def test_going_off_duty_hands_over_the_oldest_and_queues_the_rest(anna, boris, with_anna):
    count = operator_actions.hand_over(operator_id=anna.pk)
    assert (count.reassigned, count.queued, count.kept) == (1, 2, 0)
    assert [lifecycle.find_contact(pk).operator_id for pk in with_anna] == [boris.pk, None, None]
    assert (characters.load(anna), characters.load(boris)) == (0, 1)
    assert Operator.objects.get(pk=anna.pk).is_active is False


def test_staying_on_duty_keeps_what_nobody_else_can_take(anna, boris, with_anna):
    count = operator_actions.hand_over_on_duty(operator_id=anna.pk)
    assert (count.reassigned, count.queued, count.kept) == (1, 0, 2)
    assert (characters.load(anna), characters.load(boris)) == (2, 1)
    assert Operator.objects.get(pk=anna.pk).is_active is True


def test_the_places_that_become_free_go_to_who_waits(anna, boris, with_anna):
    alone = characters.source(roster={anna: 1})
    waiting = characters.contact(alone)
    operator_actions.hand_over_on_duty(operator_id=anna.pk)
    assert lifecycle.find_contact(waiting.pk).operator_id == anna.pk


def test_somebody_without_contacts_hands_over_nothing(boris):
    count = operator_actions.hand_over(operator_id=boris.pk)
    assert (count.reassigned, count.queued, count.kept) == (0, 0, 0)


def test_an_unknown_operator_is_refused():
    with pytest.raises(Unknown):
        operator_actions.hand_over(operator_id=404)


def test_everybody_else_may_be_given_many_at_once_in_turn(anna):
    """Who hands over is excluded, and falls behind the others more and more, which must not stop them."""
    boris = characters.operator("Boris", limit=100)
    bot = characters.source(roster={anna: 10, boris: 10})
    Source.objects.filter(pk=bot.pk).update(strategy="smooth")
    Operator.objects.filter(pk=anna.pk).update(max_load=40)
    contacts = [characters.contact(bot) for _ in range(60)]
    assert len(contacts) == characters.load(anna) + characters.load(boris)
    count = operator_actions.hand_over_on_duty(operator_id=anna.pk)
    assert (count.reassigned, count.kept) == (30, 0)


def test_a_smooth_source_is_handed_over_by_weight_without_the_one_who_leaves():
    leaving = characters.operator("Leaving", limit=60)
    others = {characters.operator(f"Weight {weight}", limit=100): weight for weight in (2, 5, 5, 5)}
    bot = characters.source(roster={leaving: 50})
    source_actions.change_source(source_id=bot.pk, changes={"strategy": "smooth"})
    for _ in range(34):
        characters.contact(bot)
    for other, weight in others.items():
        source_actions.set_weight(source_id=bot.pk, operator_id=other.pk, weight=weight)
    operator_actions.hand_over_on_duty(operator_id=leaving.pk)
    for other, weight in others.items():
        assert abs(characters.load(other) - 34 * weight / 17) <= 1


def test_an_archived_operator_is_in_no_later_decision():
    anna = characters.operator("Anna")
    contact = characters.contact(characters.source(roster={anna: 10}))
    operator_actions.archive_operator(operator_id=anna.pk)
    event = contact.history.get(what="handed_over")
    assert (event.reason, Contact.objects.get().waiting_reason) == ("no_operators", "no_operators")
