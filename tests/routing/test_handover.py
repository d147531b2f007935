import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.errors import Unknown
from operators.models import Operator
from routing import handover, lifecycle, operator_actions, source_actions
from routing.models import Contact, Source, Strategy
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


def hand_over(operator, *, after):
    def leave(one):
        one.is_active = False
        one.save(update_fields=["is_active"])

    return handover.hand_over(operator_id=operator.pk, by="test", before=leave, keep=False, after=after)


def test_it_tells_where_each_contact_went(anna, boris, with_anna):
    told = []
    count = hand_over(anna, after=lambda count: told.extend(count.moves))
    assert told == count.moves == [(with_anna[0], boris.pk), (with_anna[1], None), (with_anna[2], None)]


def test_what_comes_after_it_is_part_of_its_transaction(anna, boris, with_anna):
    def fail(count):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        hand_over(anna, after=fail)
    assert (characters.load(anna), characters.load(boris)) == (3, 0)
    assert characters.findings() == []


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


@pytest.fixture
def older_waiting(boris):
    """A contact that waits for Boris, who has one place."""
    return characters.contact(characters.source(roster={boris: 10}))


def come_on_duty(operator):
    """Nothing drains the queue: the test does what comes next."""
    Operator.objects.filter(pk=operator.pk).update(is_active=True)


@pytest.mark.parametrize("verb", [operator_actions.hand_over, operator_actions.archive_operator])
def test_a_contact_that_has_waited_longer_comes_first(anna, boris, older_waiting, verb):
    handed_over = characters.contact(characters.source(roster={anna: 10, boris: 10}))
    come_on_duty(boris)
    count = verb(operator_id=anna.pk)
    assert (count.reassigned, count.queued) == (0, 1)
    assert lifecycle.find_contact(older_waiting.pk).operator_id == boris.pk
    assert lifecycle.find_contact(handed_over.pk).operator_id is None


def test_what_nobody_else_can_take_before_older_contacts_is_kept(anna, boris, older_waiting):
    handed_over = characters.contact(characters.source(roster={anna: 10, boris: 10}))
    come_on_duty(boris)
    count = operator_actions.hand_over_on_duty(operator_id=anna.pk)
    assert (count.reassigned, count.kept) == (0, 1)
    assert lifecycle.find_contact(handed_over.pk).operator_id == anna.pk


def test_it_goes_to_somebody_for_whom_nobody_older_waits(anna, boris, older_waiting):
    vera = characters.operator("Vera", is_active=False)
    bot = characters.source(roster={anna: 10, boris: 10, vera: 1})
    handed_over = characters.contact(bot)
    come_on_duty(boris)
    come_on_duty(vera)
    operator_actions.hand_over(operator_id=anna.pk)
    assert lifecycle.find_contact(handed_over.pk).operator_id == vera.pk


def test_a_contact_that_is_older_than_those_that_wait_goes_before_them(anna, boris):
    handed_over = characters.contact(characters.source(roster={anna: 10, boris: 10}))
    younger = characters.contact(characters.source(roster={boris: 10}))
    come_on_duty(boris)
    operator_actions.hand_over(operator_id=anna.pk)
    assert lifecycle.find_contact(handed_over.pk).operator_id == boris.pk
    assert lifecycle.find_contact(younger.pk).operator_id is None


def statements_of_hand_over(*, contacts: int) -> int:
    """How many statements it takes to hand over so many contacts, all to Boris, in turn."""
    leaving, boris = characters.operator("Anna", limit=50), characters.operator("Boris", limit=50, is_active=False)
    bot = characters.source(roster={leaving: 10, boris: 10})
    Source.objects.filter(pk=bot.pk).update(strategy=Strategy.SMOOTH)
    for _ in range(contacts):
        characters.contact(bot)
    Operator.objects.filter(pk=boris.pk).update(is_active=True)
    with CaptureQueriesContext(connection) as statements:
        assert operator_actions.hand_over(operator_id=leaving.pk).reassigned == contacts
    return len(statements)


def test_many_contacts_take_as_many_statements_as_few():
    statements_of_hand_over(contacts=1)  # the first time, content that is cached is read
    assert statements_of_hand_over(contacts=20) == statements_of_hand_over(contacts=2)
