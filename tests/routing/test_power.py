"""How much the verdict finds, compared with the most that any test can find; docs/fairness.md has the derivation."""

import random
from collections.abc import Sequence
from math import exp, log, sqrt

import pytest

from routing import fairness
from routing.decision_sums import Sums
from routing.significance import chi_squared_tail

OPERATORS = 10  # of equal weight
FACTORS = (0.8, 1.2)


def drawn(rng: random.Random, contacts: int, factor: float = 1) -> list[float]:
    """How often each operator was drawn, the first with its weight misread by this factor; normally distributed, as
    hundreds of draws nearly are, with the covariance of such draws."""
    total = OPERATORS - 1 + factor
    chances = [factor / total] + [1 / total] * (OPERATORS - 1)
    noise = [rng.gauss() for _ in chances]
    common = sum(sqrt(chance) * one for chance, one in zip(chances, noise, strict=True))
    return [
        contacts * chance + sqrt(contacts * chance) * (one - sqrt(chance) * common)
        for chance, one in zip(chances, noise, strict=True)
    ]


def likelihood_ratio(found: Sequence[float], contacts: int, factors: Sequence[float]) -> float:
    """Of "one of them, nobody knows whom, is misread by one of these factors" to "fair"."""
    return sum(
        exp(number * log(factor) - contacts * log((OPERATORS - 1 + factor) / OPERATORS))
        for factor in factors
        for number in found
    )


def best_power(factor: float, known: Sequence[float], contacts: int = 5_000) -> float:
    """The part that the most powerful test at 5 percent finds, if it knows that the factor is one of these."""
    rng = random.Random(11)
    fair = sorted(likelihood_ratio(drawn(rng, contacts), contacts, known) for _ in range(4_000))
    critical = fair[int((1 - fairness.LEVEL) * len(fair))]
    ratios = (likelihood_ratio(drawn(rng, contacts, factor), contacts, known) for _ in range(2_000))
    return sum(ratio > critical for ratio in ratios) / 2_000


def power(factor: float, contacts: int) -> float:
    """The part that the verdict finds."""
    rng, histories, expected = random.Random(12), 600, contacts / OPERATORS
    variance = expected * (1 - 1 / OPERATORS)
    unfair = 0
    for _ in range(histories):
        sums = {
            operator: Sums(drawn=round(number), expected=expected, at_stake=expected, variance=variance, choices=1)
            for operator, number in enumerate(drawn(rng, contacts, factor))
        }
        unfair += fairness.judge_source(sums).verdict == fairness.UNFAIR
    return unfair / histories


def test_no_test_finds_95_percent_of_ten_equal_operators_with_one_weight_a_fifth_too_high():
    assert best_power(1.2, FACTORS) < 0.93
    assert best_power(1.2, [1.2]) < 0.95  # though it knows all but the operator


@pytest.mark.parametrize("factor", FACTORS)
def test_the_verdict_finds_nearly_as_much_as_the_best_test(factor):
    assert power(factor, 5_000) > best_power(factor, FACTORS) - 0.07


@pytest.mark.parametrize("factor", FACTORS)
def test_95_percent_are_found_in_7000_contacts(factor):
    assert power(factor, 7_000) > 0.95


def test_of_fair_histories_of_ten_equal_operators_five_percent_at_most_are_called_unfair():
    assert power(1, 5_000) <= fairness.LEVEL


def changing_roster(kind: str) -> list[list[int]]:
    """Who of ten could be chosen, in 100 stretches."""
    rng, everybody = random.Random(5), range(OPERATORS)
    if kind == "shifts":
        return [[0, 1, 2, 3], [2, 3, 4, 5, 6], [6, 7, 8, 9]] * 33
    return [rng.sample(everybody, {"half": 5, "two": 2}[kind]) for _ in range(100)]


def exact_tail(covariance: list[list[float]], deviations: Sequence[float]) -> float:
    """By the statistic d' C^- d, whose degrees of freedom are the rank of the covariance. Gaussian elimination."""
    rows, left = [[*row, d] for row, d in zip(covariance, deviations, strict=True)], set(range(len(deviations)))
    statistic, rank, smallest = 0.0, 0, 1e-9 * max(covariance[i][i] for i in left)
    while left and rows[pivot := max(left, key=lambda i: rows[i][i])][pivot] > smallest:
        left.remove(pivot)
        statistic, rank = statistic + rows[pivot][-1] ** 2 / rows[pivot][pivot], rank + 1
        for i in left:
            factor = rows[i][pivot] / rows[pivot][pivot]
            rows[i] = [one - factor * other for one, other in zip(rows[i], rows[pivot], strict=True)]
    return chi_squared_tail(statistic, rank)


def both_powers(kind: str, factor: float, histories: int = 400, contacts: int = 5_000) -> tuple[float, float]:
    """The part of histories that the verdict finds, and the part that it would find by the whole covariance."""
    rng, stretches = random.Random(13), changing_roster(kind)
    number, ours, exact = contacts / len(stretches), 0, 0
    covariance = [[0.0] * OPERATORS for _ in range(OPERATORS)]
    expected = [0.0] * OPERATORS
    for able in stretches:
        for one in able:
            expected[one] += number / len(able)
            covariance[one][one] += number / len(able)
            for other in able:
                covariance[one][other] -= number / len(able) ** 2
    for _ in range(histories):
        deviations = [-number for number in expected]
        for able in stretches:
            weights = [factor if one == 0 else 1 for one in able]
            noise = [rng.gauss() for _ in able]
            chances = [weight / sum(weights) for weight in weights]
            common = sum(sqrt(chance) * one for chance, one in zip(chances, noise, strict=True))
            for one, chance, its in zip(able, chances, noise, strict=True):
                deviations[one] += number * chance + sqrt(number * chance) * (its - sqrt(chance) * common)
        sums = {}
        for one, its in enumerate(expected):
            sums[one] = Sums(expected=its, at_stake=its, variance=covariance[one][one], choices=1)
            sums[one].drawn = round(its + deviations[one])
        verdict = fairness.judge_source(sums)
        each = min(fairness.operator_tails(sums).values())
        ours += verdict.verdict == fairness.UNFAIR
        exact += (
            min(each, 2 * exact_tail(covariance, [its.drawn - its.expected for its in sums.values()])) < fairness.LEVEL
        )
    return ours / histories, exact / histories


@pytest.mark.parametrize(("kind", "points"), [("half", 0.015), ("shifts", 0.015), ("two", 0.07)])
@pytest.mark.parametrize("factor", FACTORS)
def test_the_whole_covariance_would_find_little_more(kind, points, factor):
    ours, exact = both_powers(kind, factor)
    assert exact - points <= ours <= exact + 0.005


@pytest.mark.parametrize("kind", ["half", "shifts", "two"])
def test_neither_is_false_more_often_than_promised(kind):
    ours, exact = both_powers(kind, 1)
    assert max(ours, exact) <= fairness.LEVEL + 0.02  # 400 histories vary by 2 points
