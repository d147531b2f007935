from collections import Counter
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.selection import Candidate, choose, probabilities

anna = Candidate(operator_id=1, weight=10, load=0, max_load=5)
boris = Candidate(operator_id=2, weight=30, load=0, max_load=5)
full = Candidate(operator_id=3, weight=100, load=5, max_load=5, obstacle="full")
off_duty = Candidate(operator_id=4, weight=100, load=0, max_load=5, obstacle="inactive")

rosters = st.lists(
    st.builds(
        Candidate,
        operator_id=st.integers(1, 10**6),
        weight=st.integers(1, 100),
        load=st.integers(0, 100),
        max_load=st.integers(1, 100),
        obstacle=st.sampled_from([None, None, "full", "inactive"]),
    ),
    max_size=30,
    unique_by=lambda candidate: candidate.operator_id,
)
draws = st.floats(0, 1, exclude_max=True)


def exact_shares(*roster: Candidate) -> dict[int | None, Fraction]:
    """Who gets which part of the line from 0 to 1, asked at the middle of each unit of weight."""
    total = sum(candidate.weight for candidate in roster if candidate.obstacle is None)
    chosen = [choose(roster, (unit + 0.5) / total).chosen for unit in range(total)]
    return {operator: Fraction(chosen.count(operator), total) for operator in set(chosen)}


def test_the_probability_is_the_weight_over_the_sum_of_weights():
    assert exact_shares(anna, boris) == {1: Fraction(1, 4), 2: Fraction(3, 4)}


def test_who_is_not_eligible_takes_no_part_of_the_line():
    assert exact_shares(full, anna, off_duty, boris) == {1: Fraction(1, 4), 2: Fraction(3, 4)}


def test_probabilities_name_everybody():
    assert probabilities([full, anna, boris]) == {1: 0.25, 2: 0.75, 3: 0.0}


def test_ten_thousand_evenly_spread_draws_give_exactly_the_shares():
    chosen = [choose([anna, boris], (number + 0.5) / 10_000).chosen for number in range(10_000)]
    assert (chosen.count(1), chosen.count(2)) == (2_500, 7_500)


@pytest.mark.parametrize("draw", [0.0, 1 - 2**-53])
def test_both_ends_of_the_line_belong_to_somebody(draw):
    assert choose([anna, boris], draw).chosen == (1 if draw == 0 else 2)


@given(rosters, draws)
def test_only_somebody_eligible_is_ever_chosen(roster, draw):
    chosen = choose(roster, draw).chosen
    eligible = {candidate.operator_id for candidate in roster if candidate.obstacle is None}
    assert chosen in eligible if eligible else chosen is None


@given(rosters, draws)
def test_a_decision_names_somebody_or_a_reason_and_can_be_recomputed(roster, draw):
    decision = choose(roster, draw)
    assert (decision.chosen is None) != (decision.reason is None)
    assert choose(decision.candidates, decision.draw) == decision


@pytest.mark.parametrize(
    ("roster", "reason"),
    [
        ([], "no_operators"),
        ([off_duty], "all_inactive"),
        ([full], "all_full"),
        ([full, off_duty], "none_available"),
    ],
)
def test_nobody_is_chosen_for_a_reason(roster, reason):
    assert choose(roster, 0.5).reason == reason


def test_ten_thousand_draws_of_a_fixed_seed_pass_the_chi_squared_test():
    chance, weights = Random(2026), {1: 10, 2: 30, 3: 60}
    roster = [Candidate(operator_id=number, weight=weight, load=0, max_load=5) for number, weight in weights.items()]
    chosen = Counter(choose(roster, chance.random()).chosen for _ in range(10_000))
    statistic = sum((chosen[number] - 100 * weight) ** 2 / (100 * weight) for number, weight in weights.items())
    assert statistic < 5.99  # 95 % of the distribution with two degrees of freedom
