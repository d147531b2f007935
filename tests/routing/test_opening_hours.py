"""Opening hours: what comes while a source is closed waits until it opens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from core.changes.models import Change, Via
from core.changes.recording import Author
from core.errors import Conflict, Invalid, Overtaken, Unknown
from leads import batch
from operators.models import Operator
from routing import clock, lifecycle, opening_hours, operator_actions, queue, reverting, source_actions, taking
from routing.models import Contact, Exclusion, OpeningHours, Source
from tests import characters

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 30, tzinfo=UTC)
MORNING, NOON, EVENING = (MONDAY + timedelta(hours=hour) for hour in (8, 12, 20))
OPENING = MONDAY + timedelta(hours=9)
WORKING_DAYS = [{"weekday": day, "from": "09:00", "to": "18:00"} for day in range(1, 6)]
VERA = Author("user vera", Via.PAGE)


@pytest.fixture
def anna():
    return characters.operator("Anna")


@pytest.fixture
def bot(anna):
    return characters.source(roster={anna: 10})


def open_on_working_days(source):
    opening_hours.set_opening_hours(source_id=source.pk, time_zone="UTC", shifts=WORKING_DAYS, author=VERA)


def found(contact):
    return lifecycle.find_contact(contact.pk)


@pytest.fixture
def closed(bot):
    """A source that opens in an hour."""
    with time_machine.travel(MORNING, tick=False):
        open_on_working_days(bot)
        yield bot


@pytest.fixture
def assigned(bot):
    """A contact that came before its source was closed."""
    return characters.contact(bot)


def test_outside_opening_hours_a_contact_waits_until_they_begin(closed):
    contact = characters.contact(closed)
    assert (contact.operator_id, contact.waiting_reason, contact.opens_at) == (None, "closed_hours", OPENING)
    assert (found(contact).waiting_reason, found(contact).opens_at) == ("closed_hours", OPENING)
    assert characters.findings() == []


def test_in_a_batch_as_well(closed):
    item = {"source_id": closed.pk, "lead_phone": characters.somebody_new()}
    contact: Any
    [contact] = batch.register_contacts(items=[item])
    assert (contact.operator_id, contact.waiting_reason, contact.opens_at) == (None, "closed_hours", OPENING)
    assert characters.findings() == []


def test_when_the_source_opens_the_oldest_come_first(closed, anna):
    Operator.objects.filter(pk=anna.pk).update(max_load=2)
    contacts = [characters.contact(closed) for _ in range(3)]
    with time_machine.travel(OPENING, tick=False):
        clock.tick()
        assert [found(contact).status for contact in contacts] == ["assigned", "assigned", "waiting"]
        assert (found(contacts[2]).waiting_reason, found(contacts[2]).opens_at) == ("all_full", None)
        assert characters.findings() == []


def test_a_second_before_the_edge_nothing_happens(closed):
    contact = characters.contact(closed)
    with time_machine.travel(OPENING - timedelta(seconds=1), tick=False):
        clock.tick()
        assert found(contact).status == "waiting"


def test_what_waits_when_the_source_closes_waits_for_the_opening(closed, anna):
    Operator.objects.filter(pk=anna.pk).update(is_active=False)
    with time_machine.travel(NOON, tick=False):
        clock.tick()
        contact = characters.contact(closed)
        assert contact.waiting_reason == "all_inactive"
    with time_machine.travel(EVENING, tick=False):
        clock.tick()
        assert found(contact).waiting_reason == "closed_hours"
        assert found(contact).opens_at == OPENING + timedelta(days=1)
        operator_actions.change_operator(operator_id=anna.pk, changes={"is_active": True})
        assert queue.sweep_queue() == 0
        assert found(contact).status == "waiting"
        assert characters.findings() == []


def test_hours_that_were_slept_through_open_nothing_afterwards(closed):
    contact = characters.contact(closed)
    with time_machine.travel(EVENING, tick=False):
        clock.tick()
        assert (found(contact).status, found(contact).opens_at) == ("waiting", OPENING + timedelta(days=1))


def test_a_closed_source_does_not_hold_up_the_others(closed, anna):
    characters.contact(closed)
    other = characters.source(roster={anna: 10})
    assert characters.contact(other).operator_id == anna.pk


def test_by_hand_it_can_be_given_to_anybody(closed, anna):
    contact = characters.contact(closed)
    assert lifecycle.give_contact(contact_id=contact.pk, operator_id=anna.pk).operator_id == anna.pk


def test_the_rule_gives_nobody_a_contact_that_waits_for_the_opening(closed):
    contact = characters.contact(closed)
    with pytest.raises(Conflict, match="No other operator is free"):
        lifecycle.reroute_contact(contact_id=contact.pk)


def test_what_somebody_has_stays_where_it_is(assigned, closed, anna):
    assert found(assigned).operator_id == anna.pk


def test_what_somebody_has_goes_on_to_others_at_any_hour(assigned, closed, anna):
    boris = characters.operator("Boris")
    source_actions.set_weight(source_id=closed.pk, operator_id=boris.pk, weight=10)
    assert taking.decline_contact(contact_id=assigned.pk).operator_id == boris.pk
    lifecycle.give_contact(contact_id=assigned.pk, operator_id=anna.pk)
    operator_actions.hand_over(operator_id=anna.pk)
    assert found(assigned).operator_id == boris.pk
    assert characters.findings() == []


def test_what_nobody_else_can_take_waits_for_the_opening(assigned, closed, anna):
    operator_actions.hand_over(operator_id=anna.pk)
    assert found(assigned).waiting_reason == "closed_hours"


def test_new_hours_act_immediately(closed):
    contact = characters.contact(closed)
    opening_hours.set_opening_hours(source_id=closed.pk, time_zone="UTC", shifts=[], author=VERA)
    assert found(contact).status == "assigned"
    assert Source.objects.get().next_edge_at is None


def test_round_the_clock_is_never_closed(bot):
    shifts = [{"weekday": day, "from": "00:00", "to": "24:00"} for day in range(1, 8)]
    opening_hours.set_opening_hours(source_id=bot.pk, time_zone="Europe/Berlin", shifts=shifts)
    source = Source.objects.get()
    assert (source.opens_at, source.next_edge_at) == (None, None)


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "europe/moscow", "", None, 3])
def test_an_unknown_time_zone_changes_nothing(bot, zone):
    with pytest.raises(Invalid):
        opening_hours.set_opening_hours(source_id=bot.pk, time_zone=zone, shifts=WORKING_DAYS)
    assert opening_hours.stored_values(bot.pk) == {"time_zone": None, "weekly": []}


def test_an_archived_source_has_no_hours(bot):
    source_actions.archive_source(source_id=bot.pk)
    with pytest.raises(Unknown):
        opening_hours.set_opening_hours(source_id=bot.pk, time_zone="UTC", shifts=[])
    with pytest.raises(Unknown):
        opening_hours.read_opening_hours(source_id=bot.pk)


def test_hours_that_somebody_has_changed_meanwhile_are_not_overwritten(closed):
    with pytest.raises(Overtaken):
        opening_hours.set_opening_hours(
            source_id=closed.pk, time_zone="UTC", shifts=[], seen={"time_zone": None, "weekly": []}
        )


def test_a_change_is_recorded_and_can_be_reverted(closed):
    first = Change.objects.get(what="source.scheduled")
    assert (first.by, first.before) == ("user vera", {"time_zone": None, "weekly": []})
    reverting.revert_change(change_id=first.pk, author=VERA)
    assert opening_hours.stored_values(closed.pk) == first.before
    with pytest.raises(Conflict):
        reverting.revert_change(change_id=first.pk, author=VERA)


def test_what_changes_nothing_is_not_recorded(closed):
    open_on_working_days(closed)
    assert Change.objects.filter(what="source.scheduled").count() == 1


def test_a_switch_that_nobody_has_turned_is_found(closed):
    Source.objects.update(opens_at=None)
    assert characters.findings() == [
        f"Source {closed.pk} ({closed.name}) is open, but its opening hours say otherwise."
    ]


def test_contacts_of_a_restored_source_wait_for_its_hours(closed):
    contact = characters.contact(closed)
    source_actions.archive_source(source_id=closed.pk)
    assert found(contact).opens_at is None
    source_actions.restore_source(source_id=closed.pk)
    assert Contact.objects.get().waiting_reason == "closed_hours"


def test_a_source_that_fails_does_not_stop_the_others(closed, anna, monkeypatch):
    other = characters.source(roster={anna: 10})
    open_on_working_days(other)
    waits = characters.contact(other)
    once = opening_hours.set_switch

    def fail_for_closed(source, hours, now):
        if source == closed:
            raise ZeroDivisionError
        once(source, hours, now)

    monkeypatch.setattr(opening_hours, "set_switch", fail_for_closed)
    with time_machine.travel(OPENING, tick=False), pytest.raises(ZeroDivisionError):
        clock.tick()
    assert found(waits).operator == anna


def test_a_source_whose_time_zone_is_unknown_by_now_opens(closed, anna, caplog):
    waits = characters.contact(closed)
    OpeningHours.objects.update(time_zone="Europe/Atlantis")
    with time_machine.travel(OPENING, tick=False):
        clock.tick()
        assert found(waits).operator == anna
        assert "Europe/Atlantis" in caplog.text
        opening_hours.set_opening_hours(source_id=closed.pk, time_zone="UTC", shifts=WORKING_DAYS)
        assert characters.findings() == []


def test_after_the_opening_nothing_waits_for_it_that_all_who_are_free_have_given_back(closed, anna):
    boris = characters.operator("Boris", is_active=False)
    closed.roster.create(operator=boris, weight=10)
    waits = characters.contact(closed)
    Exclusion.objects.create(contact=waits, operator=anna)
    with time_machine.travel(OPENING, tick=False):
        clock.tick()
    assert found(waits).waiting_reason == Contact.Waiting.NONE_AVAILABLE
