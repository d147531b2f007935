"""The replay follows the rule, exactly where nothing is left to chance."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.selection import Candidate, choose
from routing.what_if.simulation import Replay
from routing.what_if.timeline import ALWAYS, Arrival, Holding, Past, Setting, timeline
from tests.what_if.pasts import busy_days, operator, past

ANNA, BORIS = 1, 2


def replay(that, seed=0):
    return Replay(that, timeline(that), seed).run()


def test_a_tiny_case_by_hand():
    """Anna takes one at a time. The contact of second 10 waits until 60, that of second 20 until 90."""
    outcome = replay(past([(0, 60), (10, 30), (20, 5)], operator(ANNA, limit=1)))
    assert outcome.assigned == {ANNA: 3}
    assert outcome.waits == [(10, 60), (20, 90)]
    assert outcome.longest_queue == 2


def test_who_waits_at_the_end_has_waited_until_then():
    outcome = replay(past([(0, 60), (10, 30)], operator(ANNA, limit=1), until=50.0))
    assert (outcome.assigned, outcome.waits) == ({ANNA: 1}, [(10, 50.0)])


def test_nobody_gets_anything_off_duty_and_the_queue_is_served_on_return():
    away = [Setting(5, "duty", False, ANNA), Setting(100, "duty", True, ANNA)]
    outcome = replay(past([(10, 30), (20, 5)], operator(ANNA), more=away))
    assert outcome.waits == [(10, 100), (20, 100)]


def test_contacts_of_other_sources_take_places():
    outcome = replay(past([(10, 30)], operator(ANNA, limit=1), holdings=[Holding(ANNA, -50, 40)]))
    assert outcome.waits == [(10, 40)]
    assert outcome.assigned == {ANNA: 1}


def test_a_lower_limit_takes_nothing_away():
    lower = [Setting(15, "limit", 1, ANNA)]
    outcome = replay(past([(0, 100), (10, 30), (20, 5)], operator(ANNA, limit=2), more=lower))
    assert outcome.waits == [(20, 100)]


def test_who_leaves_the_roster_gets_nothing_more():
    leaves = [Setting(5, "weight", None, ANNA)]
    outcome = replay(past([(0, 1), (10, 1)], operator(ANNA), operator(BORIS, weight=1), more=leaves), seed=1)
    assert outcome.assigned[BORIS] >= 1
    assert sum(outcome.assigned.values()) == 2


def test_contacts_wait_for_opening_hours():
    hours = [Setting(0, "is_open", False), Setting(50, "is_open", True)]
    assert replay(past([(10, 1)], operator(ANNA), more=hours)).waits == [(10, 50)]


def test_who_leaves_the_queue_is_given_to_nobody():
    away = [Setting(0, "duty", False, ANNA), Setting(100, "duty", True, ANNA)]
    that = past([], operator(ANNA), more=away)
    outcome = replay(Past([Arrival(10, 5, leaves_at=30)], (), that.settings, that.until))
    assert (outcome.assigned, outcome.waits) == ({ANNA: 0}, [(10, 30)])


def test_what_waited_before_the_period_is_served_first():
    assert replay(past([(-500, 10), (1, 10)], operator(ANNA, limit=1))).waits == [(-500, 0), (1, 10)]


def test_a_cap_holds_until_the_next_hour():
    hours = [(0.0, 0), (3600.0, 1)]
    outcome = replay(past([(0, 1), (10, 1), (20, 1)], operator(ANNA, per_hour=2), hours=hours))
    assert outcome.waits == [(20, 3600.0)]


def test_a_cap_of_the_day_holds_over_the_hour():
    hours, days = [(0.0, 22), (3600.0, 23), (7200.0, 0)], [7200.0]
    outcome = replay(past([(0, 1), (10, 1)], operator(ANNA, per_day=1), hours=hours, days=days))
    assert outcome.waits == [(10, 7200.0)]


def test_the_pace_holds_for_the_queue_only():
    back = [Setting(1, "duty", False, ANNA), Setting(100, "duty", True, ANNA)]
    outcome = replay(past([(0, 1), (0.5, 1), (10, 1), (20, 1)], operator(ANNA, pace=2), more=back))
    assert outcome.waits == [(10, 100), (20, 130)]


def test_a_known_client_goes_to_its_operator():
    that = past([], operator(ANNA, weight=1), operator(BORIS, weight=100), more=[Setting(ALWAYS, "is_sticky", True)])
    arrivals = [Arrival(at, 1, lead=7) for at in range(20)]
    outcome = replay(Past(arrivals, (), that.settings, that.until, last_operators={7: ANNA}))
    assert outcome.assigned == {ANNA: 20, BORIS: 0}


def test_in_turn_each_gets_its_exact_share():
    people = [operator(pk, weight=weight, limit=100) for pk, weight in ((1, 10), (2, 20), (3, 30))]
    outcome = replay(past([(at, 1) for at in range(600)], *people, strategy="smooth"))
    assert outcome.assigned == {1: 100, 2: 200, 3: 300}


def test_the_least_loaded_comes_first():
    people = [operator(ANNA, limit=10), operator(BORIS, limit=2)]
    outcome = replay(past([(at, 1_000) for at in range(6)], *people, strategy="least_loaded"))
    assert outcome.assigned == {ANNA: 5, BORIS: 1}


class Watched(Replay):
    """Looks at every step."""

    def take(self, person):
        assert person.on_duty
        assert person.weight
        assert person.load < person.limit
        super().take(person)


@pytest.mark.parametrize("strategy", ["weighted_random", "smooth", "least_loaded"])
@pytest.mark.parametrize("seed", range(5))
def test_nobody_gets_one_beyond_the_limit_or_off_duty(strategy, seed):
    that = busy_days(seed, limit=2, lasting=1_200, strategy=strategy)
    outcome = Watched(that, timeline(that), seed).run()
    assert outcome.longest_queue > 0
    assert sum(outcome.assigned.values()) <= len(that.arrivals)
    served = [since for since, until in outcome.waits if until < that.until]
    assert all(earlier <= later for earlier, later in pairwise(served))


weights = st.lists(st.integers(1, 100), min_size=1, max_size=8)


@given(weights=weights, draw=st.floats(0, 1, exclude_max=True), away=st.sets(st.integers(1, 8)))
def test_it_draws_as_the_rule_does(weights, draw, away):
    """The lines that are kept give what `choose` gives."""
    that = past([], *(operator(pk, weight=weight) for pk, weight in enumerate(weights, 1)))
    run = Replay(that, timeline(that), 0)
    run.run()
    run.draw = lambda: draw
    free = sum(person.bit for pk, person in run.people.items() if pk not in away)
    drawn = run.choose_by_rule(free)
    candidates = [Candidate(pk, w, 0, 10, "inactive" if pk in away else None) for pk, w in enumerate(weights, 1)]
    assert (drawn.operator_id if drawn else None) == choose(candidates, draw).chosen
