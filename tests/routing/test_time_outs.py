"""A contact that is not taken in time goes to somebody who has not had it; when nobody is left it waits."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from core.changes.models import Change
from operators.models import Operator
from routing import clock, explanation, lifecycle, operator_actions, source_actions, taking, time_outs
from routing.models import Contact, ContactEvent, Exclusion, RosterEntry, Source, Upkeep
from tests import characters

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 11, 27, 9, tzinfo=UTC)
MINUTE = 60


@pytest.fixture
def now():
    with time_machine.travel(NINE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def anna():
    return characters.operator("Anna")


@pytest.fixture
def boris():
    return characters.operator("Boris", is_active=False)


@pytest.fixture
def bot(now, anna, boris):
    return limited(characters.source(roster={anna: 10, boris: 10}))


@pytest.fixture
def with_anna(bot, boris):
    """A contact that Anna has a minute to take; Boris is on duty only from then on."""
    contact = characters.contact(bot)
    on_duty(boris)
    return contact


def limited(source, **fields):
    Source.objects.filter(pk=source.pk).update(**{"accept_within": MINUTE} | fields)
    return source


def on_duty(operator, is_active=True):
    operator_actions.change_operator(operator_id=operator.pk, changes={"is_active": is_active})


def another_for(operator, other):
    """One more contact of the source, for this operator, which the other one has not had."""
    on_duty(other, False)
    contact = characters.contact(Source.objects.get())
    on_duty(other)
    assert contact.operator == operator
    return contact


def pass_time(now, seconds):
    """With a clock that goes, as in the service."""
    for _ in range(seconds // 10):
        now.shift(10)
        clock.tick()
    now.shift(seconds % 10)
    clock.tick()


def again(contact):
    return Contact.objects.get(pk=contact.pk)


def last(contact):
    return contact.history.order_by("pk").last()


def test_each_assignment_says_until_when_it_must_be_taken(with_anna):
    assert with_anna.due_at == NINE + timedelta(minutes=1)


def test_without_a_limit_nothing_is_ever_due(now, anna):
    contact = characters.contact(characters.source(roster={anna: 10}))
    pass_time(now, 3600)
    assert (contact.due_at, again(contact).operator) == (None, anna)


def test_a_contact_that_is_not_taken_goes_to_somebody_else(now, anna, boris, with_anna):
    pass_time(now, 59)
    assert again(with_anna).operator == anna
    pass_time(now, 1)
    found = again(with_anna)
    assert (found.operator, found.due_at, found.offers) == (boris, NINE + timedelta(minutes=2), 2)
    event = last(with_anna)
    assert (event.what, event.by, event.from_operator, event.to_operator) == ("timed_out", "system", anna, boris)
    assert (characters.load(anna), characters.load(boris), characters.findings()) == (0, 1, [])


def test_the_decision_says_why(now, anna, boris, with_anna):
    pass_time(now, 60)
    why = explanation.explain_decision(contact_id=with_anna.pk)
    assert (why.cause, why.chosen) == ("timeout", boris.pk)
    assert {one.operator_id: one.reason for one in why.candidates} == {anna.pk: "excluded", boris.pk: None}
    assert explanation.event_text(last(with_anna)) == "Not taken in time by Anna: to Boris."


@pytest.mark.parametrize("verb", [taking.accept_contact, taking.touch_contact])
def test_who_has_reacted_keeps_it(verb, now, anna, with_anna):
    taken = verb(contact_id=with_anna.pk)
    pass_time(now, 120)
    assert (taken.due_at, again(with_anna).operator) == (None, anna)


def test_a_resolved_contact_is_never_due(now, anna, with_anna):
    assert lifecycle.resolve_contact(contact_id=with_anna.pk).due_at is None
    pass_time(now, 120)
    assert last(with_anna).what == "resolved"


def test_every_way_of_giving_it_sets_the_moment(now, anna, boris, with_anna):
    due_at = NINE + timedelta(minutes=1)
    assert lifecycle.give_contact(contact_id=with_anna.pk, operator_id=boris.pk).due_at == due_at
    assert lifecycle.reroute_contact(contact_id=with_anna.pk).due_at == due_at
    lifecycle.resolve_contact(contact_id=with_anna.pk)
    assert lifecycle.reopen_contact(contact_id=with_anna.pk).due_at == due_at
    operator_actions.hand_over_on_duty(operator_id=again(with_anna).operator_id)
    assert again(with_anna).due_at == due_at
    assert lifecycle.return_contact(contact_id=with_anna.pk).due_at in (None, due_at)


def test_when_everybody_has_had_it_it_waits_because_nobody_reacted(now, with_anna):
    pass_time(now, 120)
    found = again(with_anna)
    assert (found.status, found.waiting_reason, found.due_at) == ("waiting", "nobody_reacted", None)
    why = explanation.explain_decision(contact_id=with_anna.pk)
    assert (why.cause, why.strategy, why.reason) == ("timeout", "timeout", "nobody_reacted")


def test_somebody_new_on_the_roster_gets_it(now, bot, with_anna):
    pass_time(now, 120)
    vera = characters.operator("Vera")
    source_actions.set_weight(source_id=bot.pk, operator_id=vera.pk, weight=10)
    assert again(with_anna).operator == vera


def test_if_the_others_cannot_now_it_waits_for_them(now, boris, with_anna):
    on_duty(boris, False)
    pass_time(now, 60)
    assert again(with_anna).waiting_reason == "none_available"
    on_duty(boris)
    assert again(with_anna).operator == boris


class TestMaxOffers:
    @pytest.fixture
    def passed_over(self, bot, with_anna, now):
        """One offer is enough; Boris was free at that moment."""
        limited(bot, max_offers=1)
        pass_time(now, 60)
        return with_anna

    def test_then_it_stays_in_the_queue(self, now, passed_over):
        pass_time(now, 3600)
        assert again(passed_over).waiting_reason == "nobody_reacted"
        assert characters.findings() == []

    def test_who_becomes_free_gets_it(self, boris, passed_over):
        on_duty(boris, False)
        on_duty(boris)
        assert again(passed_over).operator == boris

    def test_who_has_a_place_again_gets_it(self, now, bot, anna, with_anna):
        limited(bot, max_offers=1)
        full = characters.operator("Full", limit=1)
        source_actions.set_weight(source_id=bot.pk, operator_id=full.pk, weight=10)
        other = characters.contact(characters.source(roster={full: 10}))
        operator_actions.archive_operator(operator_id=Operator.objects.get(name="Boris").pk)
        pass_time(now, 60)
        assert again(with_anna).waiting_reason == "nobody_reacted"
        lifecycle.resolve_contact(contact_id=other.pk)
        assert again(with_anna).operator == full

    def test_who_was_free_and_fills_up_gets_it_with_the_next_place(self, bot, boris, passed_over):
        operator_actions.change_operator(operator_id=boris.pk, changes={"max_load": 1})
        other = characters.contact(characters.source(roster={boris: 10}))
        assert again(passed_over).operator is None
        lifecycle.resolve_contact(contact_id=other.pk)
        assert again(passed_over).operator == boris

    def test_who_has_missed_it_never_gets_it_again(self, anna, boris, passed_over):
        on_duty(boris, False)
        on_duty(anna, False)
        on_duty(anna)
        assert again(passed_over).operator is None

    def test_a_new_contact_does_not_wait_behind_it(self, bot, passed_over):
        assert characters.contact(bot).operator is not None

    def test_by_hand_it_is_offered_again(self, boris, passed_over):
        assert lifecycle.reroute_contact(contact_id=passed_over.pk).operator == boris
        assert not Exclusion.objects.filter(until_free=True).exists()

    def test_the_sweep_keeps_the_reason(self, anna, boris, passed_over):
        on_duty(boris, False)
        on_duty(anna, False)
        assert again(passed_over).waiting_reason == "nobody_reacted"


class TestDuty:
    def test_off_duty_the_clock_stands_still(self, now, anna, boris, with_anna):
        pass_time(now, 40)
        on_duty(anna, False)
        found = again(with_anna)
        assert (found.due_at, found.due_left) == (None, 20)
        pass_time(now, 3600)
        on_duty(anna)
        pass_time(now, 19)
        assert again(with_anna).operator == anna
        pass_time(now, 1)
        assert again(with_anna).operator == boris

    def test_given_to_somebody_off_duty_it_begins_with_the_duty(self, now, anna, boris, with_anna):
        on_duty(boris, False)
        given = lifecycle.force_contact(contact_id=with_anna.pk, operator_id=boris.pk)
        assert (given.due_at, given.due_left) == (None, 60)
        on_duty(boris)
        assert again(with_anna).due_at == NINE + timedelta(minutes=1)


class TestMissed:
    @pytest.fixture
    def strict(self, bot, with_anna):
        """Two missed in a row are too many."""
        return limited(bot, off_duty_after_missed=2)

    def test_too_many_in_a_row_take_the_operator_off_duty(self, now, anna, boris, strict):
        another_for(anna, boris)
        pass_time(now, 60)
        anna.refresh_from_db()
        assert (anna.is_active, anna.missed_in_a_row) == (False, 0)
        change = Change.objects.filter(operator_id=anna.pk).latest("pk")
        assert (change.by, change.via, change.reason, change.after) == (
            *("system", "rule", "missed offers"),
            {"is_active": False},
        )

    def test_whoever_takes_one_begins_again(self, now, anna, boris, strict):
        pass_time(now, 60)
        anna.refresh_from_db()
        assert anna.missed_in_a_row == 1
        taking.accept_contact(contact_id=another_for(anna, boris).pk)
        anna.refresh_from_db()
        assert anna.missed_in_a_row == 0

    def test_what_else_the_operator_has_is_offered_to_others_too(self, now, anna, boris, strict):
        another_for(anna, boris)
        now.shift(5)
        third = another_for(anna, boris)
        pass_time(now, 60)
        assert again(third).operator == boris


class TestOutage:
    def test_after_an_outage_everything_that_was_due_has_its_time_again(self, now, anna, with_anna):
        clock.tick()
        now.shift(3600)
        clock.tick()
        assert (again(with_anna).operator, again(with_anna).due_at) == (anna, NINE + timedelta(hours=1, minutes=1))
        pass_time(now, 59)
        assert again(with_anna).operator == anna
        pass_time(now, 1)
        assert again(with_anna).operator != anna

    @pytest.fixture
    def hundreds(self, now, bot):
        """Ten people with 25 contacts each, which fall due one after another."""
        first = characters.contact(bot)
        team = [characters.operator(f"Operator {number}", limit=50, current_load=25) for number in range(10)]
        bot.roster.set([RosterEntry(operator=one, weight=10) for one in team], bulk=False)
        lifecycle.resolve_contact(contact_id=first.pk)
        Contact.objects.bulk_create(
            Contact(
                lead=first.lead,
                source=bot,
                operator=team[number % 10],
                assigned_at=NINE,
                due_at=NINE + timedelta(seconds=3 * number),
            )
            for number in range(250)
        )
        return Contact.objects.open()

    @pytest.mark.once
    def test_hundreds_that_were_due_have_their_time_again_and_go_in_parts_then(self, now, hundreds):
        """None goes in the tick after the outage, nor a second too early; and each goes once."""
        had = dict(hundreds.values_list("pk", "operator"))
        clock.note_tick(NINE)
        now.shift(3600)
        clock.tick()
        assert set(hundreds.values_list("due_at", flat=True)) == {NINE + timedelta(hours=1, minutes=1)}
        pass_time(now, 59)
        assert dict(hundreds.values_list("pk", "operator")) == had

        timed_out, gone = ContactEvent.objects.filter(what="timed_out"), []
        for _ in range(2):
            now.shift(1)
            clock.tick()
            gone.append(timed_out.count())
        assert gone == [200, 250]
        assert dict(timed_out.values_list("contact", "from_operator")) == had
        assert characters.findings() == []

    def test_a_short_pause_is_no_outage(self, now, anna, with_anna):
        now.shift(30)
        clock.tick()
        now.shift(45)
        clock.tick()
        assert again(with_anna).operator != anna

    def test_a_clock_that_is_half_a_minute_ahead_gives_no_time(self, now, anna, with_anna):
        clock.tick()
        with time_machine.travel(NINE + timedelta(seconds=40), tick=False):
            clock.tick()
        assert again(with_anna).due_at == NINE + timedelta(minutes=1)

    def test_a_clock_that_was_set_back_is_noted(self, now, with_anna):
        Upkeep.objects.create(pk=1, ticked_at=NINE + timedelta(days=1))
        clock.tick()
        assert Upkeep.objects.get().ticked_at == NINE


class TestChangingTheLimit:
    def test_without_a_limit_nothing_stays_due(self, now, anna, bot, with_anna):
        source_actions.change_source(source_id=bot.pk, changes={"accept_within": None})
        assert again(with_anna).due_at is None
        pass_time(now, 120)
        assert again(with_anna).operator == anna

    def test_another_limit_is_for_later_offers(self, bot, with_anna):
        source_actions.change_source(source_id=bot.pk, changes={"accept_within": 600})
        assert again(with_anna).due_at == NINE + timedelta(minutes=1)
        assert characters.contact(bot).due_at == NINE + timedelta(minutes=10)

    def test_what_a_closed_source_has_left_stays_where_it_is(self, now, anna, bot, with_anna):
        source_actions.archive_source(source_id=bot.pk)
        pass_time(now, 120)
        assert (again(with_anna).operator, again(with_anna).due_at) == (anna, None)


def test_the_oldest_comes_first(now, boris, bot, with_anna):
    """Boris has one place: the contact that was due first gets it."""
    operator_actions.change_operator(operator_id=boris.pk, changes={"max_load": 1})
    second = another_for(with_anna.operator, boris)
    pass_time(now, 60)
    assert (again(with_anna).operator, again(second).status) == (boris, "waiting")


def test_one_that_fails_does_not_stop_the_others(now, anna, boris, bot, with_anna, monkeypatch):
    broken, whole = with_anna, another_for(anna, boris)
    find, failing = time_outs.find_due, [broken.pk]

    def fails_once(contact_id, now):
        if contact_id in failing:
            raise ValueError("broken")
        return find(contact_id, now)

    monkeypatch.setattr(time_outs, "find_due", fails_once)
    now.shift(60)
    clock.note_tick(NINE + timedelta(seconds=60))
    with pytest.raises(ValueError, match="broken"):
        clock.tick()
    assert again(broken).operator == anna
    assert again(whole).operator == boris


@pytest.mark.parametrize("change", [{"accepted_at": NINE}, {"resolved_at": NINE}])
def test_what_an_older_version_leaves_due_is_found_and_cleared(now, anna, with_anna, change):
    Contact.objects.update(**change)
    if "resolved_at" in change:
        Operator.objects.update(current_load=0)
    assert characters.findings() == [f"Contact {with_anna.pk} is due to be taken, but no operator has it untaken."]
    pass_time(now, 60)
    assert (again(with_anna).operator, again(with_anna).due_at, characters.findings()) == (anna, None, [])
