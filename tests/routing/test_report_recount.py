"""Reports are those of a slow recount, after any history, whatever part of it is in the tallies."""

from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing import clock
from routing.report import GroupBy, ask, read_report, tallying
from routing.report.figures import COUNTS, DURATIONS, Figures, histogram_step, step_seconds
from tests import characters, flushing, random_actions
from tests.routing.report_recount import duty_seconds, percentile, recount

START = datetime(2026, 10, 24, 20, 40, tzinfo=UTC)  # five hours before Berlin's clocks are put back
BERLIN = ZoneInfo("Europe/Berlin")

steps = st.lists(
    st.tuples(
        st.sampled_from(random_actions.VERBS), st.integers(0, 2**16), st.sampled_from([0, 3, 200, 4_000, 50_000])
    ),
    min_size=1,
    max_size=30,
)


@pytest.mark.django_db(transaction=True)
@settings(
    max_examples=6 if characters.ON_POSTGRESQL else 15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=steps,
    tallied=st.integers(0, 30),
    since=st.integers(-2, 30),
    hours=st.integers(1, 60),
    asked=st.sampled_from(["", "source", "operator"]),
)
def test_a_report_is_that_of_a_slow_recount(steps, tallied, since, hours, asked):
    flushing.empty_tables()
    with time_machine.travel(START, tick=False) as traveller:
        anna, boris = (characters.operator(name, limit=2) for name in ("Anna", "Boris"))
        bot = characters.source(roster={anna: 10, boris: 20})
        characters.source(roster={anna: 10})
        for number, (verb, seed, pause) in enumerate(steps):
            traveller.shift(pause)
            clock.tick()
            random_actions.act(verb, Random(seed))
            if number == tallied:
                tallying.tally_all()
        traveller.shift(3_600)
        only = {"source": {"source_id": bot.pk}, "operator": {"operator_id": anna.pk}}.get(asked, {})
        begin = START.replace(minute=0) + timedelta(hours=since)
        for group_by in GroupBy:
            compare(ask(group_by=group_by, since=begin, until=begin + timedelta(hours=hours), zone=BERLIN, **only))


def compare(question):
    key_of = question.key_of()

    def key(source_id, operator_id, at):
        return key_of(source_id, operator_id, at.replace(minute=0, second=0, microsecond=0))

    only = {"source_id": question.source_id, "operator_id": question.operator_id}
    numbers, durations = recount(question.since, question.until, key, **only)
    report = read_report(question)
    found = {row.key: row for row in report.rows}
    assert {pk: +row.figures.counts for pk, row in found.items() if +row.figures.counts} == numbers
    for pk, row in found.items():
        for name in DURATIONS:
            for share, label in ((0.5, "p50"), (0.9, "p90")):
                exact = percentile(durations.get(pk, {}).get(name), share)
                assert_within_a_step(name, exact, row.values()[f"{name}_{label}"])
    if question.group_by == GroupBy.OPERATOR and not question.source_id:
        on_duty = duty_seconds(question.since, min(question.until, datetime.now(UTC)))
        for pk, row in found.items():
            assert row.on_duty_seconds == (None if pk is None else pytest.approx(on_duty[pk]))
        assert found.keys() >= {pk for pk, its in on_duty.items() if its and question.operator_id in (None, pk)}
    assert sum(report.total.figures.counts.values()) == sum(sum(its.values()) for its in numbers.values())


def assert_within_a_step(name, exact, found):
    assert (exact is None) == (found is None)
    if exact is not None:
        assert histogram_step(name, exact) == histogram_step(name, found)


@given(st.lists(st.floats(0, 1e8), min_size=1, max_size=50), st.sampled_from(DURATIONS), st.floats(0.01, 1))
def test_a_percentile_is_in_the_step_of_the_exact_one(seconds, name, share):
    figures = Figures()
    for one in seconds:
        figures.durations[histogram_step(name, one)] += 1
    found, exact = figures.percentile(name, share), percentile(sorted(seconds), share)
    assert found is not None
    assert histogram_step(name, found) == histogram_step(name, exact)
    assert found == 0 if exact < 1 else found == pytest.approx(exact, rel=0.1)


def test_every_step_contains_its_middle():
    assert all(histogram_step("waiting", step_seconds(step)) == step for step in range(200))


def test_counts_have_the_names_of_the_contract():
    assert COUNTS == ("registered", "assigned", "accepted", "declined", "timed_out", "resolved", "reopened")
