"""A leave: its forecast, and how it is taken back."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from core.changes.models import Via
from core.changes.recording import Author
from core.errors import Conflict, Unknown
from operators.models import Absence, Operator, Schedule
from routing import duty_edges, leave, lifecycle, operator_actions, source_actions, taking
from routing.models import Contact, Exclusion
from tests import characters

pytestmark = pytest.mark.django_db

VERA = Author("user vera", Via.PAGE)
DAY = timedelta(days=1)


@pytest.fixture
def anna():
    return characters.operator("Anna", limit=3)


@pytest.fixture
def boris():
    """With places for two of Anna's contacts."""
    return characters.operator("Boris", limit=2)


@pytest.fixture
def bot(anna):
    return characters.source("Telegram", roster={anna: 10})


@pytest.fixture
def contacts(anna, bot, boris):
    """Three contacts of Anna's, the oldest first; Boris has joined her since."""
    mine = [characters.contact(bot).pk for _ in range(3)]
    source_actions.set_weight(source_id=bot.pk, operator_id=boris.pk, weight=30)
    return mine


def preview(operator, *, start=None, days=5):
    start = start or timezone.now()
    return leave.preview_leave(operator_id=operator.pk, start=start, end=start + days * DAY)


def apply(operator, *, start=None, days=5, handover=True):
    start = start or timezone.now()
    return leave.apply_leave(
        operator_id=operator.pk, start=start, end=start + days * DAY, reason="Holiday", handover=handover, author=VERA
    )


def undo(absence):
    return leave.undo_leave(absence_id=absence.pk, author=VERA)


def holders(contact_ids):
    stored = dict(Contact.objects.values_list("pk", "operator_id"))
    return [stored[pk] for pk in contact_ids]


def works_daily(operator, hours):
    """A schedule with these hours in UTC on every day of the week."""
    shifts = [{"weekday": day, "from": hours[0], "to": hours[1]} for day in range(1, 8)]
    return Schedule.objects.create(operator=operator, time_zone="UTC", shifts=shifts)


# The forecast


def test_the_forecast_is_what_the_hand_over_does(anna, boris, contacts):
    forecast = preview(anna)
    expected = [one.operator and one.operator.pk for one in forecast.contacts]
    operator_actions.hand_over(operator_id=anna.pk)
    assert holders(contacts) == expected == [boris.pk, boris.pk, None]
    assert forecast.queued == 1
    assert forecast.contacts[2].reason == "none_available"


def test_the_forecast_changes_nothing(anna, boris, contacts):
    before = list(Contact.objects.values()), list(Operator.objects.values())
    preview(anna)
    assert (list(Contact.objects.values()), list(Operator.objects.values())) == before


def test_each_look_shows_the_same_draws(anna, bot, contacts):
    for number in range(5):
        other = characters.operator(f"Other {number}")
        source_actions.set_weight(source_id=bot.pk, operator_id=other.pk, weight=10)
    first, second = ([one.operator for one in preview(anna).contacts] for _ in range(2))
    assert first == second


def test_it_tells_how_likely_a_colleague_is(anna, boris, bot, contacts):
    vera = characters.operator("Vera", limit=10)
    source_actions.set_weight(source_id=bot.pk, operator_id=vera.pk, weight=10)
    chances = {boris.pk: 0.75, vera.pk: 0.25}
    first = preview(anna).contacts[0]
    assert first.chance == chances[first.operator.pk]


def test_it_tells_the_loads_of_those_who_would_get_contacts(anna, boris, contacts):
    [colleague] = preview(anna).colleagues
    assert (colleague.operator, colleague.load, colleague.gets) == (boris, 0, 2)


def test_somebody_who_is_off_duty_now_but_planned_then_is_expected_then(anna, boris, contacts):
    works_daily(boris, ("00:00", "24:00"))
    Operator.objects.filter(pk=boris.pk).update(is_active=False)
    assert preview(anna).queued == 3
    assert preview(anna, start=timezone.now() + DAY).queued == 1


def test_shares_are_those_of_all_who_are_planned_meanwhile(anna, boris, bot, contacts):
    away = characters.operator("Away", is_active=False)
    source_actions.set_weight(source_id=bot.pk, operator_id=away.pk, weight=50)
    [source] = preview(anna).sources
    shares = {share.operator.name: (share.before, share.after) for share in source.shares}
    assert shares == {"Anna": (0.25, 0.0), "Boris": (0.75, 1.0)}


def test_hours_without_anybody_are_told_apart_from_those_that_nobody_had_anyway(anna, boris, contacts):
    works_daily(anna, ("09:00", "18:00"))
    works_daily(boris, ("09:00", "12:00"))
    start = (timezone.now() + 2 * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    [source] = preview(anna, start=start, days=1).sources
    assert [moment.hour for hole in source.holes for moment in hole] == [12, 18]
    assert [moment.hour for hole in source.other_holes for moment in hole] == [0, 9, 18, 0]


def test_the_forecast_for_somebody_in_the_archive_is_refused(anna):
    operator_actions.archive_operator(operator_id=anna.pk)
    with pytest.raises(Unknown):
        preview(anna)


# The leave and its undo


def test_a_leave_from_now_hands_over_now(anna, boris, contacts):
    absence = apply(anna)
    assert absence.moved == [[contacts[0], boris.pk], [contacts[1], boris.pk], [contacts[2], None]]
    assert not Operator.objects.get(pk=anna.pk).is_active


def test_undo_gives_back_what_was_handed_over_and_the_duty(anna, boris, contacts):
    result = undo(apply(anna))
    assert (result.given_back, result.moved_on, result.no_place) == (contacts, [], [])
    assert holders(contacts) == [anna.pk] * 3
    assert (characters.load(anna), characters.load(boris)) == (3, 0)
    assert Operator.objects.get(pk=anna.pk).is_active
    assert Absence.objects.get().ended_at
    assert characters.findings() == []


def test_the_history_says_who_gave_it_back(anna, boris, contacts):
    undo(apply(anna))
    history = Contact.objects.get(pk=contacts[0]).history.order_by("-pk")
    last = history.values_list("what", "by", "from_operator_id", "to_operator_id")[0]
    assert last == ("given", "user vera", boris.pk, anna.pk)


@pytest.mark.parametrize(
    "move_on",
    [
        lambda pk, boris: taking.accept_contact(contact_id=pk),
        lambda pk, boris: lifecycle.resolve_contact(contact_id=pk),
    ],
)
def test_what_somebody_has_touched_since_is_left_there(anna, boris, contacts, move_on):
    absence = apply(anna)
    move_on(contacts[0], boris)
    before = Contact.objects.filter(pk=contacts[0]).values().get()
    result = undo(absence)
    assert contacts[0] in result.moved_on
    assert Contact.objects.filter(pk=contacts[0]).values().get() == before
    assert characters.findings() == []


def test_a_waiting_contact_that_somebody_got_since_is_left_there(anna, boris, contacts):
    absence = apply(anna)
    operator_actions.change_operator(operator_id=boris.pk, changes={"max_load": 3})
    assert undo(absence).moved_on == [contacts[2]]
    assert holders(contacts) == [anna.pk, anna.pk, boris.pk]


def test_a_contact_that_was_given_back_by_hand_is_not_counted(anna, boris, contacts):
    absence = apply(anna)
    lifecycle.force_contact(contact_id=contacts[0], operator_id=anna.pk)
    result = undo(absence)
    assert contacts[0] not in [*result.given_back, *result.moved_on, *result.no_place]
    assert holders(contacts[:1]) == [anna.pk]


def test_nobody_gets_back_more_than_the_limit(anna, boris, contacts):
    absence = apply(anna)
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 1})
    result = undo(absence)
    assert (result.given_back, result.no_place) == (contacts[:1], contacts[1:])
    assert characters.load(anna) == 1


def test_what_had_no_place_comes_back_with_the_next_undo(anna, boris, contacts):
    absence = apply(anna)
    operator_actions.change_operator(operator_id=anna.pk, changes={"max_load": 1})
    undo(absence)
    Operator.objects.filter(pk=anna.pk).update(max_load=2)
    assert undo(absence).given_back == contacts[1:2]


def test_own_contacts_come_back_before_others_that_wait(anna, boris, bot, contacts):
    absence = apply(anna)
    for _ in range(3):
        characters.contact(bot)
    undo(absence)
    assert holders(contacts) == [anna.pk] * 3


def test_the_places_of_colleagues_go_to_who_waits(anna, boris, bot, contacts):
    absence = apply(anna)
    waiting = [characters.contact(bot).pk for _ in range(2)]
    undo(absence)
    assert holders(waiting) == [boris.pk] * 2


def test_who_was_beyond_the_limit_is_offered_again_what_nobody_has_taken(anna, boris, bot, contacts):
    absence = apply(anna)
    waiting = characters.contact(bot)
    Contact.objects.filter(pk=waiting.pk).update(waiting_reason="nobody_reacted")
    Exclusion.objects.create(contact=waiting, operator=boris, until_free=True)
    Exclusion.objects.create(contact=waiting, operator=anna)
    operator_actions.change_operator(operator_id=boris.pk, changes={"max_load": 1})
    undo(absence)
    assert holders([waiting.pk]) == [boris.pk]


def test_what_the_operator_had_given_back_is_no_longer_refused(anna, boris, contacts):
    absence = apply(anna)
    pk = contacts[2]
    lifecycle.force_contact(contact_id=pk, operator_id=anna.pk)
    lifecycle.return_contact(contact_id=pk)
    assert undo(absence).given_back == contacts
    assert not Contact.objects.get(pk=pk).exclusions.exists()


def test_a_leave_without_hand_over_is_only_cancelled(anna, contacts):
    assert undo(apply(anna, handover=False)) == leave.UndoResult()
    assert holders(contacts) == [anna.pk] * 3
    assert Operator.objects.get(pk=anna.pk).is_active


def test_one_to_come_is_only_cancelled(anna, contacts):
    absence = apply(anna, start=timezone.now() + 3 * DAY)
    assert undo(absence) == leave.UndoResult()
    assert Absence.objects.get().ended_at
    assert Operator.objects.get(pk=anna.pk).is_active


def test_undoing_twice_changes_nothing_more(anna, contacts):
    absence = apply(anna)
    undo(absence)
    assert undo(absence) == leave.UndoResult()
    assert holders(contacts) == [anna.pk] * 3


def test_it_can_be_undone_for_a_day(anna, contacts):
    absence = apply(anna)
    begin = absence.began_at
    with time_machine.travel(begin + DAY - timedelta(minutes=1), tick=False):
        assert leave.recent_leaves(most=5) == [absence]
    with time_machine.travel(begin + DAY, tick=False):
        assert leave.recent_leaves(most=5) == []
        with pytest.raises(Conflict, match="24 hours"):
            undo(absence)
    assert not Operator.objects.get(pk=anna.pk).is_active


def test_one_that_is_over_gives_back_what_it_moved(anna, boris, contacts):
    absence = apply(anna, days=0.25)
    with time_machine.travel(absence.end + timedelta(minutes=1)):
        duty_edges.turn_edges(timezone.now())
        assert leave.recent_leaves(most=5) == [absence]
        assert undo(absence).given_back == contacts[:2]


def test_one_that_is_undone_is_not_offered_again(anna, contacts):
    absence = apply(anna)
    assert leave.recent_leaves(most=5) == [absence]
    undo(absence)
    assert leave.recent_leaves(most=5) == []


def test_nothing_goes_back_to_somebody_in_the_archive(anna, boris, contacts):
    absence = apply(anna)
    operator_actions.archive_operator(operator_id=anna.pk)
    with pytest.raises(Unknown):
        undo(absence)
    assert holders(contacts)[0] == boris.pk
    assert leave.recent_leaves(most=5) == []


def test_an_unknown_leave_is_refused():
    with pytest.raises(Unknown):
        leave.undo_leave(absence_id=404, author=VERA)
