"""What the service has done in a day is what a replay of that day gives."""

from datetime import timedelta

import pytest

from operators.models import Operator
from routing import clock, lifecycle, opening_hours, operator_actions, source_actions, taking
from routing.models import Contact, ContactEvent, Source
from routing.what_if import questions
from routing.what_if.past import Period, read_past
from routing.what_if.prediction import Changes, differences, predict
from routing.what_if.simulation import Replay
from routing.what_if.timeline import ALWAYS, timeline
from tests import characters
from tests.what_if.service import BEGIN, Day

pytestmark = pytest.mark.django_db(transaction=True)

NOTHING = Changes({}, {})


@pytest.fixture
def day(time_machine):
    time_machine.move_to(BEGIN - timedelta(hours=1), tick=False)
    return Day(time_machine)


def whole_day():
    return Period(BEGIN, BEGIN + timedelta(days=1))


def team(strategy):
    people = [characters.operator(name, limit=limit) for name, limit in (("Anna", 2), ("Boris", 3), ("Vera", 4))]
    source = characters.source(roster=dict(zip(people, (10, 20, 30), strict=True)))
    Source.objects.filter(pk=source.pk).update(strategy=strategy)
    return people, source


def change(operator, **fields):
    return lambda: operator_actions.change_operator(operator_id=operator.pk, changes=fields)


def replayed(source, period, seed=0):
    past, observed = read_past(source_id=source.pk, period=period)
    return past, observed, Replay(past, timeline(past), seed).run()


def test_a_day_in_turn_is_replayed_exactly(day):
    """Nothing is drawn: every contact goes where it went, at the same moment, whatever was changed meanwhile."""
    (anna, boris, vera), source = team("smooth")
    other = characters.source(roster={boris: 10})
    day.comes_at_random(1, source, contacts=90, begin=0, end=80_000, lasting=2_500)
    day.comes_at_random(2, other, contacts=20, begin=0, end=80_000, lasting=1_500)
    day.at(20_000.5, change(anna, is_active=False))
    day.at(30_000.5, change(anna, is_active=True))
    day.at(40_000.5, change(vera, max_load=2))
    day.at(
        50_000.5,
        lambda: source_actions.set_weight(source_id=source.pk, operator_id=boris.pk, weight=5),
    )
    day.at(60_000.5, lambda: source_actions.remove_from_roster(source_id=source.pk, operator_id=vera.pk))
    day.run()
    _, observed, outcome = replayed(source, whole_day())
    assert {pk: number for pk, number in outcome.assigned.items() if number} == observed.assigned
    assert sum(observed.assigned.values()) == 90
    assert sorted(outcome.waits) == sorted(observed.waits)
    assert observed.waits


@pytest.mark.parametrize("strategy", ["weighted_random", "least_loaded"])
def test_a_day_by_chance_lies_within_what_replays_give(day, strategy):
    _, source = team(strategy)
    day.comes_at_random(3, source, contacts=80, begin=0, end=40_000, lasting=2_000)
    day.run()
    past, observed = read_past(source_id=source.pk, period=whole_day())
    assert differences(observed, predict(past), len(past.arrivals)) == {}


def test_opening_hours_of_then(day):
    [_, source] = team("smooth")
    hours = [{"weekday": number, "from": "06:00", "to": "12:00"} for number in range(1, 8)]
    opening_hours.set_opening_hours(source_id=source.pk, time_zone="UTC", shifts=hours)
    day.comes(3_600, source, 60)
    day.comes(7 * 3_600, source, 60)
    day.comes(13 * 3_600, source, 60)
    day.at(6 * 3_600, clock.tick)
    day.at(12 * 3_600, clock.tick)
    day.run()
    _, observed, outcome = replayed(source, whole_day())
    assert outcome.waits == observed.waits == [(3_600, 6 * 3_600), (13 * 3_600, 86_400)]


def test_opening_hours_that_were_changed_later(day):
    [_, source] = team("smooth")
    hours = [{"weekday": number, "from": "06:00", "to": "12:00"} for number in range(1, 8)]
    opening_hours.set_opening_hours(source_id=source.pk, time_zone="UTC", shifts=hours)
    day.comes(3_600, source, 60)
    day.at(6 * 3_600, clock.tick)
    day.run()
    opening_hours.set_opening_hours(source_id=source.pk, time_zone="UTC", shifts=[])
    _, _, outcome = replayed(source, whole_day())
    assert outcome.waits == [(3_600, 6 * 3_600)]


def test_what_was_open_before_the_period_takes_places(day):
    anna = characters.operator("Anna", limit=1)
    source = characters.source(roster={anna: 10})
    characters.contact(source)
    day.comes(100, source, 50)
    day.at(500, lambda: lifecycle.resolve_contact(contact_id=Contact.objects.earliest("pk").pk))
    day.run()
    _, observed, outcome = replayed(source, whole_day())
    assert outcome.waits == observed.waits == [(100, 500)]
    assert observed.assigned == {anna.pk: 1}


def test_what_was_assigned_days_before_does_not_count_for_the_cap_of_the_first_day(day):
    anna = characters.operator("Anna", max_per_day=2)
    source = characters.source(roster={anna: 10})
    day.travel.move_to(BEGIN - timedelta(days=3), tick=False)
    characters.contact(source)
    characters.contact(source)
    day.travel.move_to(BEGIN - timedelta(days=2), tick=False)
    clock.tick()
    day.comes(4 * 3_600, source, 50)
    day.run()
    _, observed, outcome = replayed(source, whole_day())
    assert outcome.assigned == observed.assigned == {anna.pk: 1}
    assert outcome.waits == observed.waits == []


def test_the_pace_of_then(day, settings):
    """Until it is taken from her Anna has her own; then she has that of the service."""
    settings.QUEUE_PACE = 1
    anna = characters.operator("Anna", queue_pace=2)
    source = characters.source(roster={anna: 10})
    day.at(500, change(anna, queue_pace=None))
    day.run()
    past, _ = read_past(source_id=source.pk, period=whole_day())
    assert [(one.at, one.value) for one in past.settings if one.name == "pace"] == [(ALWAYS, 2), (500, 1)]


def test_what_waited_before_the_period_is_served_in_it(day):
    anna = characters.operator("Anna", is_active=False)
    source = characters.source(roster={anna: 10})
    characters.contact(source)
    day.at(100, change(anna, is_active=True))
    day.run()
    _, observed, outcome = replayed(source, whole_day())
    assert outcome.waits == observed.waits == [(-3_600, 100)]


def test_what_was_given_by_hand_or_declined_is_taken_as_it_was(day):
    (anna, *_), source = team("smooth")
    day.comes(10, source, 4_000)
    day.at(20, lambda: lifecycle.give_contact(contact_id=Contact.objects.get().pk, operator_id=anna.pk))
    day.at(30, lambda: taking.decline_contact(contact_id=Contact.objects.get().pk))
    day.run()
    past, observed, _ = replayed(source, whole_day())
    first = ContactEvent.objects.earliest("pk").to_operator_id
    assert observed.assigned == {first: 1}
    assert [arrival.lasts for arrival in past.arrivals] == [10.0]
    assert past.holdings[0].operator_id == anna.pk


def test_who_was_not_there_yet_got_nothing_then(day):
    [_, source] = team("smooth")
    day.comes(100, source, 10)
    late: list[Operator] = []
    day.at(50_000, lambda: late.append(operator_actions.create_operator(name="Gleb", max_load=5)))
    day.comes(60_000, source, 10)
    day.run()
    [gleb] = late
    past, _ = read_past(source_id=source.pk, period=whole_day(), operator_ids=[gleb.pk])
    duty = [(one.at, one.value) for one in past.settings if (one.name, one.operator_id) == ("duty", gleb.pk)]
    assert (duty[0], duty[-1]) == ((0.0, False), (50_000, True))
    found = questions.answer(source_id=source.pk, period=whole_day(), changes=Changes({gleb.pk: 100}, {}, [gleb.pk]))
    assert found.after
    assert {one["operator_id"] for one in found.after["operators"] if one["share"]} == {gleb.pk}
    assert found.after["longest_queue"] == 1


def test_who_was_archived_since_was_there_then(day):
    (*_, vera), source = team("smooth")
    day.comes_at_random(5, source, contacts=30, begin=0, end=40_000, lasting=60)
    day.run(50_000.0)
    operator_actions.archive_operator(operator_id=vera.pk)
    day.run()
    _, observed, outcome = replayed(source, whole_day())
    assert outcome.assigned == observed.assigned
    assert observed.assigned[vera.pk] == 15


def test_a_history_that_was_tampered_with_is_refused(day):
    (anna, _, vera), source = team("weighted_random")
    day.comes_at_random(6, source, contacts=100, begin=0, end=80_000, lasting=60)
    day.run()
    assert questions.answer(source_id=source.pk, period=whole_day(), changes=NOTHING).refusal is None
    ContactEvent.objects.filter(to_operator=vera).update(to_operator=anna)
    ContactEvent.objects.filter(from_operator=vera).update(from_operator=anna)
    found = questions.answer(source_id=source.pk, period=whole_day(), changes=NOTHING)
    assert found.after is None
    assert found.refusal
    assert found.refusal["code"] == "not_reproduced"
    assert {anna.pk, vera.pk} <= {one["of"] for one in found.refusal["differences"]}


def test_an_unreadable_decision_is_no_obstacle(day):
    _, source = team("weighted_random")
    day.comes_at_random(6, source, contacts=40, begin=0, end=80_000, lasting=60)
    day.run()
    ContactEvent.objects.filter(pk=ContactEvent.objects.earliest("pk").pk).update(evidence=b"\xff")
    assert questions.answer(source_id=source.pk, period=whole_day(), changes=NOTHING).refusal is None


def test_a_sticky_source_keeps_clients_with_their_operator(day):
    _, source = team("smooth")
    characters.contact(source, lead_phone="+79990000077")
    first = Contact.objects.get().operator_id
    source_actions.change_source(source_id=source.pk, changes={"is_sticky": True})
    lifecycle.resolve_contact(contact_id=Contact.objects.get().pk)
    for second in range(100, 1_000, 100):
        day.comes(second, source, 10, lead_phone="+79990000077")
    day.run()
    _, observed, outcome = replayed(source, whole_day())
    assert observed.assigned == {first: 9}
    assert {pk: number for pk, number in outcome.assigned.items() if number} == observed.assigned


def test_a_period_without_contacts_is_refused(day):
    _, source = team("smooth")
    day.run()
    found = questions.answer(source_id=source.pk, period=whole_day(), changes=NOTHING)
    assert found.refusal == {"code": "no_contacts"}


def test_nothing_is_written(day):
    _, source = team("weighted_random")
    day.comes(10, source, 10)
    day.run()
    loads = list(Operator.objects.order_by("pk").values())
    questions.answer(source_id=source.pk, period=whole_day(), changes=NOTHING)
    assert list(Operator.objects.order_by("pk").values()) == loads
