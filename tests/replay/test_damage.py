"""Each kind of damage is found, and named with its ids."""

from datetime import timedelta

import pytest
import time_machine
from django.db.models import F

from core.changes.models import Change
from operators.models import Operator
from routing import operator_actions
from routing.models import ALL, Contact, ContactEvent, ReportTally, RosterEntry, Source, Tally
from routing.replay import replay
from tests import characters
from tests.replay.conftest import MONDAY

pytestmark = pytest.mark.django_db


def found():
    return {(one.kind.value, one.text): one.ids for one in replay().found.shown}


def require(kind, text, **ids):
    """A difference of this kind, with this text in it, about these ids."""
    about = [its for (one, said), its in found().items() if one == kind and text in said]
    assert ids in about, found()


def kinds():
    return {kind for kind, _ in found()}


def rows(contact):
    return Contact.objects.filter(pk=contact.pk)


def events(contact, what):
    return ContactEvent.objects.filter(contact=contact.pk, what=what)


def test_nothing_is_found_before_any_damage(desk):
    done = replay()
    assert done.found.counts == {}
    assert done.loads == {desk.anna.pk: 2}
    assert done.queues[desk.bot.pk].first == [(desk.waiting.pk, MONDAY + timedelta(hours=2))]
    assert sum(done.assigned.values()) >= 4


@pytest.mark.parametrize("step", [1, -1])
def test_a_load_that_is_off_by_one(desk, step):
    Operator.objects.filter(pk=desk.anna.pk).update(current_load=F("current_load") + step)
    require("load", f"has a load of {2 + step}, but 2 open contacts by the history", operator=desk.anna.pk)
    assert kinds() == {"load"}


def test_an_operator_that_was_changed_behind_the_verbs(desk):
    rows(desk.taken).update(operator=desk.boris)
    text = f"by its history operator {desk.anna.pk} has it, but its row says that operator {desk.boris.pk} has it"
    require("contact", text, contact=desk.taken.pk)
    assert kinds() == {"contact"}


def test_a_contact_that_was_moved_together_with_the_loads(desk):
    """Which leaves what `check_routing` compares in agreement."""
    rows(desk.taken).update(operator=desk.boris)
    Operator.objects.filter(pk=desk.anna.pk).update(current_load=1)
    Operator.objects.filter(pk=desk.boris.pk).update(current_load=1)
    assert kinds() == {"contact", "load"}


def test_a_contact_that_is_lost_from_the_queue(desk):
    rows(desk.waiting).update(resolved_at=MONDAY, waiting_reason=None)
    require("contact", "by its history it waits, but its row says that nobody had it when", contact=desk.waiting.pk)


def test_a_contact_that_came_into_the_queue_by_itself(desk):
    rows(desk.fresh).update(operator=None)
    require("contact", "but its row says that it waits", contact=desk.fresh.pk)


def test_another_reason_for_waiting(desk):
    rows(desk.waiting).update(waiting_reason="all_full")
    require("contact", "because of “returned” by its history", contact=desk.waiting.pk)


def test_a_reason_that_follows_the_roster_is_not_compared(desk):
    waiting = characters.contact(desk.bot)
    rows(waiting).update(waiting_reason="none_available")
    assert kinds() == set()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"accepted_at": None}, "by its history it was taken"),
        ({"first_reaction_at": MONDAY}, "by its history it was not answered"),
        ({"assigned_at": MONDAY + timedelta(hours=1)}, "assigned at 2026-03-30T08:20:00+00:00 by its history, at"),
        ({"created_at": MONDAY - timedelta(hours=1)}, "registered at"),
        ({"former_operator_ids": [10**9]}, "had it before, by its row operators 1000000000"),
    ],
)
def test_other_columns_of_a_contact(desk, fields, text):
    rows(desk.taken).update(**fields)
    require("contact", text, contact=desk.taken.pk)
    assert kinds() == {"contact"}


def test_a_deleted_event_at_the_end(desk):
    events(desk.resolved, "resolved").delete()
    require("contact", f"by its history operator {desk.boris.pk} has it", contact=desk.resolved.pk)
    require("load", "has a load of 0, but 1 open contacts by the history", operator=desk.boris.pk)
    require("report", "1 resolved instead of 0", source=desk.bot.pk)


def test_a_deleted_event_at_the_begin(desk):
    events(desk.taken, "registered").delete()
    first = ContactEvent.objects.filter(contact=desk.taken.pk).earliest("pk")
    require("history", "although a history begins with “registered”", contact=desk.taken.pk, event=first.pk)


def test_a_deleted_event_in_the_middle(desk):
    events(desk.resolved, "given").delete()
    resolved = events(desk.resolved, "resolved").get()
    require("history", f"takes it from operator {desk.boris.pk}", contact=desk.resolved.pk, event=resolved.pk)


def test_a_deleted_reaction(desk):
    events(desk.taken, "accepted").delete()
    require("contact", "by its history it was not taken", contact=desk.taken.pk)


def test_a_history_that_is_gone(desk):
    ContactEvent.objects.filter(contact=desk.fresh.pk).delete()
    require("history", "has no history", contact=desk.fresh.pk)


def test_a_changed_event(desk):
    resolved = events(desk.resolved, "resolved").get()
    events(desk.resolved, "resolved").update(from_operator=desk.anna)
    text = f"takes it from operator {desk.anna.pk}, although operator {desk.boris.pk} had it"
    require("history", text, contact=desk.resolved.pk, event=resolved.pk)


@pytest.mark.parametrize("length", list(ReportTally.Length))
def test_a_changed_tally_of_reports(desk, length):
    tallies = ReportTally.objects.filter(source=desk.bot.pk, operator=desk.anna.pk)
    assigned = tallies.get(length=ReportTally.Length.MONTH).assigned
    tallies.filter(pk=tallies.filter(length=length).earliest("start").pk).update(assigned=F("assigned") + 1)
    require("report", f"{assigned + 1} assigned instead of {assigned}", source=desk.bot.pk, operator=desk.anna.pk)
    assert kinds() == {"report"}


@pytest.mark.parametrize(("durations", "text"), [(b"", "other durations"), (b"damaged", "other durations")])
def test_changed_durations_of_reports(desk, durations, text):
    ReportTally.objects.filter(length=3, source=ALL, operator=ALL).update(durations=durations)
    require("report", f"month of 2026-03, all sources, all operators: {text}")


def test_tallies_of_a_month_without_events(desk):
    ReportTally.objects.create(
        length=1, source=desk.bot.pk, operator=ALL, start=MONDAY.replace(year=2025), registered=3
    )
    require("report", "hours of 2025-03", source=desk.bot.pk)


def test_a_lost_tally_of_reports(desk):
    ReportTally.objects.filter(length=2).delete()
    require("report", "days of 2026-03", source=desk.bot.pk, operator=desk.anna.pk)


def test_events_that_are_not_tallied_yet_are_no_difference(desk):
    characters.contact(desk.bot)
    assert kinds() == set()


def test_a_changed_tally_of_fairness(desk):
    Tally.objects.filter(operator=desk.anna).update(expected=F("expected") + 0.01)
    require("fairness", "hour of 2026-03-30 08:00 UTC", source=desk.bot.pk, operator=desk.anna.pk)
    assert kinds() == {"fairness"}


def test_a_lost_tally_of_fairness(desk):
    Tally.objects.filter(operator=desk.anna).delete()
    require("fairness", "assigned is 0 instead of", source=desk.bot.pk, operator=desk.anna.pk)


def test_a_tally_of_an_hour_without_decisions(desk):
    early = MONDAY.replace(hour=3, minute=0)
    Tally.objects.create(hour=early, source=desk.bot, operator=desk.boris, assigned=1, expected=0, variance=0)
    require("fairness", "hour of 2026-03-30 03:00 UTC", source=desk.bot.pk, operator=desk.boris.pk)


def test_a_weight_that_was_changed_behind_the_verbs(desk):
    RosterEntry.objects.filter(operator=desk.boris).update(weight=99)
    require("setting", "is 99, but the last record of it says 10", source=desk.bot.pk, operator=desk.boris.pk)
    assert kinds() == {"setting"}


def test_a_roster_entry_that_is_gone(desk):
    RosterEntry.objects.filter(operator=desk.boris).delete()
    require("setting", "is None, but the last record of it says 10", source=desk.bot.pk, operator=desk.boris.pk)


@pytest.mark.parametrize(
    ("fields", "name"),
    [({"max_load": 50}, "max_load"), ({"is_active": True}, "is_active"), ({"archived_at": MONDAY}, "archived")],
)
def test_an_operator_that_was_changed_without_a_record(desk, fields, name):
    operator_actions.archive_operator(operator_id=desk.boris.pk)
    operator_actions.restore_operator(operator_id=desk.boris.pk)
    Operator.objects.filter(pk=desk.boris.pk).update(**fields)
    require("setting", f"“{name}” of operator {desk.boris.pk} is", operator=desk.boris.pk)


def test_a_deleted_record_of_a_change(desk):
    middle, last = Change.objects.filter(operator_id=desk.anna.pk, after__has_key="max_load").order_by("pk")[1:]
    middle.delete()
    require("setting", "begins with 9, but the one before has left 2", operator=desk.anna.pk, change=last.pk)


def test_who_was_put_on_a_roster_without_a_record(desk):
    source_id = Source.objects.create(name="Unrecorded").pk
    RosterEntry.objects.create(source_id=source_id, operator=desk.anna)
    assert kinds() == set()
    Change.objects.create(what="source.created", by="system", via="command", source_id=source_id, before={}, after={})
    require("setting", "of which there is no record", source=source_id, operator=desk.anna.pk)


@pytest.fixture
def in_turn():
    """A source in turn, where nobody has lost a contact or was away since the roster was made."""
    with time_machine.travel(MONDAY, tick=False) as traveller:
        anna, boris = (characters.operator(name, limit=50) for name in ("Anna", "Boris"))
        bot = characters.source(roster={anna: 10, boris: 20})
        Source.objects.update(strategy="smooth")
        traveller.shift(3_600)
        for _ in range(9):
            characters.contact(bot)
        return bot, boris


@pytest.mark.parametrize("contacts", [-1, -8, 8])
def test_a_place_in_the_turns_that_was_changed(in_turn, contacts):
    bot, boris = in_turn
    assert kinds() == set()
    RosterEntry.objects.filter(source=bot, operator=boris).update(progress=F("progress") + contacts / 20)
    if abs(contacts) > 1 or not characters.ON_POSTGRESQL:
        require("turn", f"operator {boris.pk} stands at", source=bot.pk, operator=boris.pk)


def test_more_differences_than_are_shown_are_counted(desk):
    for _ in range(25):
        rows(characters.contact(desk.bot)).update(resolved_at=MONDAY, waiting_reason=None)
    done = replay()
    assert done.found.counts == {"contact": 25}
    assert list(done.found.sentences())[-1] == "5 more differences of the kind “contact”."
