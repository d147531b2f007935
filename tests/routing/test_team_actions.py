import pytest

from core.errors import Conflict, Unknown
from operators.models import Operator
from routing import lifecycle, operator_actions, queue, source_actions
from routing.models import Contact, RosterEntry
from tests import characters

pytestmark = pytest.mark.django_db


def weights(source):
    return dict(RosterEntry.objects.filter(source=source).values_list("operator__name", "weight"))


def test_coming_on_duty_takes_what_waits():
    anna = characters.operator(is_active=False)
    waiting = characters.contact(characters.source(roster={anna: 10}))
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": True})
    assert lifecycle.find_contact(waiting.pk).operator_id == anna.pk


def test_a_higher_limit_takes_what_waits_and_no_more():
    anna = characters.operator(limit=1)
    bot = characters.source(roster={anna: 10})
    _, second, third = (characters.contact(bot) for _ in range(3))
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 2})
    assert lifecycle.find_contact(second.pk).operator_id == anna.pk
    assert lifecycle.find_contact(third.pk).waiting_reason == "all_full"


def test_a_lower_limit_takes_nothing_away_and_gives_nothing_more():
    anna = characters.operator(limit=2)
    bot = characters.source(roster={anna: 10})
    first, _ = characters.contact(bot), characters.contact(bot)
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 1})
    assert characters.load(anna) == 2
    lifecycle.resolve_contact(contact_id=first.pk)
    assert characters.contact(bot).operator_id is None


def test_joining_a_roster_takes_what_waits_there():
    anna, bot = characters.operator(), characters.source()
    waiting = characters.contact(bot)
    source_actions.set_weight(source_id=bot.pk, operator_id=anna.pk, weight=10)
    assert lifecycle.find_contact(waiting.pk).operator_id == anna.pk


def test_setting_a_weight_replaces_the_one_that_stands():
    anna = characters.operator()
    bot = characters.source(roster={anna: 10})
    source_actions.set_weight(source_id=bot.pk, operator_id=anna.pk, weight=30)
    assert RosterEntry.objects.get().weight == 30


def test_a_roster_is_changed_at_once_and_others_stay_as_they_are():
    anna, boris, leaver = (characters.operator(name) for name in ("Anna", "Boris", "Leaver"))
    bot = characters.source(roster={anna: 10, boris: 10, leaver: 10})
    source_actions.change_roster(source_id=bot.pk, weights={anna.pk: 30}, leaving=[leaver.pk])
    source_actions.change_roster(source_id=bot.pk, weights={}, leaving=[leaver.pk])
    assert weights(bot) == {"Anna": 30, "Boris": 10}


def test_a_roster_with_somebody_unknown_is_not_changed_at_all():
    anna = characters.operator("Anna")
    bot = characters.source(roster={anna: 10})
    with pytest.raises(Unknown):
        source_actions.change_roster(source_id=bot.pk, weights={anna.pk: 30, 404: 10}, leaving=[])
    assert weights(bot) == {"Anna": 10}


def test_who_joins_by_a_change_of_the_roster_gets_what_waits():
    anna, bot = characters.operator(), characters.source()
    waiting = characters.contact(bot)
    source_actions.change_roster(source_id=bot.pk, weights={anna.pk: 10})
    assert lifecycle.find_contact(waiting.pk).operator_id == anna.pk


def test_a_change_of_the_only_weight_keeps_the_progress():
    anna = characters.operator()
    bot = characters.source(roster={anna: 10})
    RosterEntry.objects.update(progress=5.0)
    source_actions.change_roster(source_id=bot.pk, weights={anna.pk: 20})
    assert RosterEntry.objects.get().progress == 5.0


def test_a_closed_source_has_no_roster_to_change():
    bot = characters.source()
    source_actions.archive_source(source_id=bot.pk)
    with pytest.raises(Unknown):
        source_actions.change_roster(source_id=bot.pk, weights={})


def test_leaving_a_roster_keeps_the_contacts_and_gives_no_more():
    anna = characters.operator()
    bot = characters.source(roster={anna: 10})
    kept = characters.contact(bot)
    source_actions.remove_from_roster(source_id=bot.pk, operator_id=anna.pk)
    assert lifecycle.find_contact(kept.pk).operator_id == anna.pk
    assert characters.contact(bot).waiting_reason == "no_operators"


def test_the_contacts_of_a_leaver_go_to_others_or_back_to_the_queue():
    leaver, boris = characters.operator("Leaver", limit=3), characters.operator("Boris", limit=2, is_active=False)
    bot = characters.source(roster={leaver: 10, boris: 10})
    contacts = [characters.contact(bot).pk for _ in range(3)]
    Operator.objects.filter(pk=boris.pk).update(is_active=True)
    operator_actions.archive_operator(operator_id=leaver.pk)
    assert [lifecycle.find_contact(pk).operator_id for pk in contacts] == [boris.pk, boris.pk, None]
    assert lifecycle.find_contact(contacts[2]).waiting_reason == "all_full"
    assert (characters.load(leaver), characters.load(boris)) == (0, 2)


def test_the_closed_contacts_of_a_leaver_stay_as_history():
    leaver = characters.operator()
    closed = characters.contact(characters.source(roster={leaver: 10}))
    lifecycle.resolve_contact(contact_id=closed.pk)
    operator_actions.archive_operator(operator_id=leaver.pk)
    assert lifecycle.find_contact(closed.pk).operator_id == leaver.pk


def test_a_leaver_who_comes_back_has_the_old_weights():
    anna = characters.operator()
    bot = characters.source(roster={anna: 30})
    operator_actions.archive_operator(operator_id=anna.pk)
    waiting = characters.contact(bot)
    operator_actions.restore_operator(operator_id=anna.pk)
    assert lifecycle.find_contact(waiting.pk).operator_id == anna.pk
    assert RosterEntry.objects.current().get().weight == 30


def test_closing_a_source_leaves_its_contacts_and_lets_the_queue_say_why():
    bot = characters.source()
    waiting = characters.contact(bot)
    source_actions.archive_source(source_id=bot.pk)
    assert lifecycle.find_contact(waiting.pk).waiting_reason == "source_closed"


def test_nobody_gets_what_waits_in_a_closed_source():
    anna, bot = characters.operator(is_active=False), characters.source()
    source_actions.set_weight(source_id=bot.pk, operator_id=anna.pk, weight=1)
    waiting = characters.contact(bot)
    source_actions.archive_source(source_id=bot.pk)
    operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": True})
    queue.sweep_queue()
    assert lifecycle.find_contact(waiting.pk).status == "waiting"
    source_actions.restore_source(source_id=bot.pk)
    assert lifecycle.find_contact(waiting.pk).operator_id == anna.pk


def test_a_name_of_a_closed_source_is_free_until_it_opens_again():
    old = characters.source("Bot")
    source_actions.archive_source(source_id=old.pk)
    source_actions.create_source(name="Bot")
    with pytest.raises(Conflict, match="“Bot” already exists"):
        source_actions.restore_source(source_id=old.pk)


def test_a_change_never_writes_the_load():
    anna = characters.operator()
    Operator.objects.filter(pk=anna.pk).update(current_load=3)
    operator_actions.change_operator(operator_id=anna.pk, changes={"name": "Anna B."})
    assert characters.load(anna) == 3


@pytest.mark.parametrize("verb", [operator_actions.archive_operator, operator_actions.restore_operator])
def test_an_unknown_operator_is_refused(verb):
    with pytest.raises(Unknown):
        verb(operator_id=404)


def test_the_newest_never_overtakes_the_oldest():
    """A place became free, and nobody has drained the queue yet, when a new contact comes in."""
    anna = characters.operator(limit=1, is_active=False)
    bot, other = (characters.source(roster={anna: 10}) for _ in range(2))
    oldest = characters.contact(bot)
    Operator.objects.filter(pk=anna.pk).update(is_active=True)
    newest = characters.contact(other)
    assert (lifecycle.find_contact(oldest.pk).operator_id, newest.operator_id) == (anna.pk, None)
    assert newest.waiting_reason == "all_full"
    assert Contact.objects.open().count() == 1


def test_setting_the_same_limit_again_excuses_no_excess():
    anna = characters.operator(limit=2)
    before = Operator.objects.get(pk=anna.pk).limit_set_at
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 2, "name": "Anna B."})
    assert Operator.objects.get(pk=anna.pk).limit_set_at == before


def test_a_source_that_opens_again_lets_its_queue_say_why():
    bot = characters.source()
    waiting = characters.contact(bot)
    source_actions.archive_source(source_id=bot.pk)
    source_actions.restore_source(source_id=bot.pk)
    assert lifecycle.find_contact(waiting.pk).waiting_reason == "no_operators"


def test_what_was_put_back_stays_put_back_while_the_source_is_closed():
    anna = characters.operator()
    bot = characters.source(roster={anna: 10})
    contact = characters.contact(bot)
    lifecycle.return_contact(contact_id=contact.pk)
    source_actions.archive_source(source_id=bot.pk)
    source_actions.restore_source(source_id=bot.pk)
    assert lifecycle.find_contact(contact.pk).waiting_reason == "returned"


def test_a_new_roster_leaves_no_place_for_those_who_left():
    leaver, boris = characters.operator("Leaver"), characters.operator("Boris")
    bot = characters.source(roster={leaver: 10})
    operator_actions.archive_operator(operator_id=leaver.pk)
    source_actions.replace_roster(source_id=bot.pk, weights=[{"operator_id": boris.pk, "weight": 10}])
    operator_actions.restore_operator(operator_id=leaver.pk)
    assert list(bot.roster.values_list("operator_id", flat=True)) == [boris.pk]
