"""The sums of decisions are those that adding up every decision by itself gives."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.candidate_codec import pack_members
from routing.decision_sums import STRETCH, SourceSums
from routing.selection import BEHIND, Candidate, choose, probabilities, progress_after

STRATEGIES = ["weighted_random", "smooth", "least_loaded"]
obstacles = st.sampled_from([None, None, "inactive", "full", "excluded"])
rosters = st.lists(st.tuples(st.integers(1, 100), st.integers(0, 9), obstacles), min_size=1, max_size=6)
decisions = st.lists(
    st.tuples(rosters, st.sampled_from(STRATEGIES), st.sampled_from([None, 1, 2]), st.floats(0, 0.999)), max_size=12
)


def candidates_of(roster):
    return [Candidate(number, weight, load, 10, out) for number, (weight, load, out) in enumerate(roster, 1)]


def share(members, operator_id, *out):
    """By weight, among those who have none of these obstacles."""
    left = {one.operator_id: one.weight for one in members if one.obstacle not in out}
    return left.get(operator_id, 0) / sum(left.values())


@given(decisions)
def test_the_sums_are_those_of_the_decisions_one_by_one(taken):
    sums = SourceSums()
    expected: dict[int, list[float]] = {}
    for roster, strategy, preferred, draw in taken:
        members = candidates_of(roster)
        decision = choose(members, draw, strategy=strategy, preferred=preferred)
        if decision.chosen is None:
            continue
        sums.add(
            pack_members(members),
            strategy=strategy,
            preferred=preferred,
            chosen=decision.chosen,
            operator_id=decision.chosen,
        )
        chances = probabilities(members, strategy=strategy, preferred=preferred)
        for one in members:
            pk = one.operator_id
            by_weight, on_duty = share(members, pk), share(members, pk, "inactive")
            below, able = share(members, pk, "inactive", "full"), share(members, pk, "inactive", "full", "excluded")
            promised = able if strategy == "smooth" and not decision.is_sticky else chances[pk]
            rule = promised - able
            row = expected.setdefault(pk, [0.0] * 8)
            for place, number in enumerate(
                [
                    promised,
                    chances[pk] * (1 - chances[pk]),
                    on_duty - by_weight,
                    below - on_duty,
                    able - below,
                    rule if decision.is_sticky else 0.0,
                    rule if strategy == "least_loaded" and not decision.is_sticky else 0.0,
                    chances[pk] - promised,
                ]
            ):
                row[place] += number
    found = {
        pk: [its.expected, its.variance, its.duty, its.limit, its.given_back, its.sticky, its.load, its.turn]
        for pk, its in sums.settle().items()
    }
    assert found.keys() == expected.keys()
    for pk, row in expected.items():
        assert found[pk] == pytest.approx(row, abs=1e-9)
    assert not any(its.broken for its in sums.sums.values())


def test_a_choice_against_the_rule_is_counted():
    busy, idle = Candidate(1, 10, 5, 10), Candidate(2, 10, 0, 10)
    sums = SourceSums()
    sums.add(pack_members([busy, idle]), strategy="least_loaded", preferred=None, chosen=1, operator_id=1)
    assert sums.settle()[1].broken == 1


def test_a_place_taken_meanwhile_is_counted_beside_the_draw():
    sums = SourceSums()
    members = pack_members([Candidate(1, 10, 0, 10), Candidate(2, 10, 0, 10)])
    sums.add(members, strategy="weighted_random", preferred=None, chosen=1, operator_id=2)
    hers, his = sums.settle()[1], sums.settle()[2]
    assert (hers.drawn, hers.taken, hers.assigned, hers.expected) == (1, 1, 0, 0.5)
    assert (his.drawn, his.taken, his.assigned, his.expected) == (0, 0, 1, 0.5)


def serve_in_turn(sums, members, *, weights=None):
    """One contact by `smooth`. `weights` are those by which the rule counts, if it misreads them."""
    roster = list(members.values())
    used = [one._replace(weight=(weights or {}).get(one.operator_id, one.weight)) for one in roster]
    chosen = choose(used, None, strategy="smooth").chosen
    if chosen is not None:
        members[chosen] = members[chosen]._replace(progress=progress_after(used, chosen))
        sums.add(pack_members(roster), strategy="smooth", preferred=None, chosen=chosen, operator_id=chosen)


def worst_turn(sums):
    """How much of its bound anybody has used."""
    return max(abs(its.turn) / (STRETCH + its.leeway) for its in sums.settle().values())


@pytest.mark.parametrize("seed", range(20))
def test_smooth_keeps_its_bound_whoever_comes_and_goes(seed):
    rng, sums = random.Random(seed), SourceSums()
    members = {n: Candidate(n, rng.randint(1, 100), 0, 10) for n in range(1, rng.randint(3, 12))}
    for _ in range(600):
        if rng.random() < rng.choice([0.01, 0.3]):
            one = rng.choice(list(members))
            members[one] = members[one]._replace(obstacle=rng.choice([None, "full", "inactive"]))
        serve_in_turn(sums, members)
    assert worst_turn(sums) <= 1


def test_the_bound_is_small_while_nobody_comes_or_goes():
    sums, members = SourceSums(), {n: Candidate(n, 10 * n, 0, 10) for n in range(1, 5)}
    for _ in range(1_000):
        serve_in_turn(sums, members)
    assert [its.leeway for its in sums.settle().values()] == [STRETCH] * 4
    assert worst_turn(sums) < 1 / STRETCH


def test_those_who_stay_are_little_disturbed_by_one_who_leaves():
    sums, members = SourceSums(), {n: Candidate(n, 10, 0, 10) for n in range(1, 11)}
    serve_in_turn(sums, members)
    members[10] = members[10]._replace(obstacle="inactive")
    serve_in_turn(sums, members)
    assert sums.settle()[1].leeway == pytest.approx(STRETCH + BEHIND / 9)


def test_a_weight_misread_by_20_percent_is_found_in_turn_too():
    sums, members = SourceSums(), {n: Candidate(n, 10 * n, 0, 10) for n in range(1, 5)}
    for number in range(5_000):
        if number % 500 == 250:  # somebody leaves and comes back ten times
            members[3] = members[3]._replace(obstacle="inactive" if number % 1_000 == 250 else None)
        serve_in_turn(sums, members, weights={2: 24})
    assert worst_turn(sums) > 1
