import pytest

from core.errors import Conflict, Unknown
from operators.models import Operator
from routing import lifecycle
from routing.models import Contact
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
def with_anna(bot, anna):
    return characters.contact(bot)


def duty(operator, is_active):
    Operator.objects.filter(pk=operator.pk).update(is_active=is_active)


def test_by_hand_it_goes_to_that_person_on_the_roster_or_not(anna, boris, with_anna):
    given = lifecycle.give_contact(contact_id=with_anna.pk, operator_id=boris.pk)
    assert (given.operator_id, characters.load(anna), characters.load(boris)) == (boris.pk, 0, 1)


def test_the_place_that_it_leaves_goes_to_who_waits(anna, boris, bot, with_anna):
    waiting = characters.contact(bot)
    lifecycle.give_contact(contact_id=with_anna.pk, operator_id=boris.pk)
    assert lifecycle.find_contact(waiting.pk).operator_id == anna.pk


def test_giving_it_to_who_has_it_changes_nothing(anna, with_anna):
    lifecycle.give_contact(contact_id=with_anna.pk, operator_id=anna.pk)
    assert (characters.load(anna), with_anna.history.count()) == (1, 1)


@pytest.mark.parametrize(("state", "code"), [("full", "operator_full"), ("off_duty", "operator_inactive")])
def test_beyond_the_limit_or_off_duty_it_must_be_forced(state, code, boris, with_anna):
    if state == "off_duty":
        duty(boris, False)
    else:
        characters.contact(characters.source(roster={boris: 1}))
    with pytest.raises(Conflict) as refusal:
        lifecycle.give_contact(contact_id=with_anna.pk, operator_id=boris.pk)
    assert refusal.value.code == code
    forced = lifecycle.force_contact(contact_id=with_anna.pk, operator_id=boris.pk)
    assert (forced.operator_id, forced.is_forced) == (boris.pk, True)


def test_an_unknown_person_is_refused(with_anna):
    with pytest.raises(Unknown):
        lifecycle.give_contact(contact_id=with_anna.pk, operator_id=404)


@pytest.mark.parametrize("verb", [lifecycle.reroute_contact, lifecycle.return_contact])
def test_a_resolved_contact_stays(verb, with_anna):
    lifecycle.resolve_contact(contact_id=with_anna.pk)
    with pytest.raises(Conflict, match="Reopen it first"):
        verb(contact_id=with_anna.pk)


def test_routed_afresh_it_goes_to_somebody_else(bot, boris, with_anna):
    bot.roster.create(operator=boris, weight=1)
    assert lifecycle.reroute_contact(contact_id=with_anna.pk).operator_id == boris.pk


def test_if_nobody_else_is_free_it_stays(anna, with_anna):
    with pytest.raises(Conflict) as refusal:
        lifecycle.reroute_contact(contact_id=with_anna.pk)
    assert refusal.value.code == "nobody_else_free"
    assert (lifecycle.find_contact(with_anna.pk).operator_id, characters.load(anna)) == (anna.pk, 1)


def test_put_back_it_waits_and_is_not_offered_to_the_same_one(anna, with_anna):
    returned = lifecycle.return_contact(contact_id=with_anna.pk)
    assert (returned.status, returned.waiting_reason, characters.load(anna)) == ("waiting", "returned", 0)


def test_put_back_it_goes_to_somebody_else_at_once(bot, boris, with_anna):
    bot.roster.create(operator=boris, weight=1)
    assert lifecycle.return_contact(contact_id=with_anna.pk).operator_id == boris.pk


def test_what_was_put_back_stands_in_nobodys_way(anna, bot, with_anna):
    lifecycle.return_contact(contact_id=with_anna.pk)
    assert characters.contact(bot).operator_id == anna.pk


def test_by_hand_it_may_go_back_to_who_gave_it_back(anna, with_anna):
    lifecycle.return_contact(contact_id=with_anna.pk)
    assert lifecycle.give_contact(contact_id=with_anna.pk, operator_id=anna.pk).operator_id == anna.pk


def test_it_waits_at_the_place_of_its_age(anna, bot, with_anna):
    newer = characters.contact(bot)
    lifecycle.return_contact(contact_id=with_anna.pk)
    assert lifecycle.find_contact(newer.pk).operator_id == anna.pk
    assert Contact.objects.get(pk=with_anna.pk).queue_position == 1
