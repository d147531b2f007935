"""Tails of distributions, against tables and closed forms."""

from math import comb, erfc, exp, factorial, sqrt

import pytest

from routing.significance import chi_squared_tail, deviation_tail, holm


@pytest.mark.parametrize(
    ("statistic", "freedom", "tail"),
    [
        (3.841459, 1, 0.05),
        (6.634897, 1, 0.01),
        (5.991465, 2, 0.05),
        (18.307038, 10, 0.05),
        (23.209251, 10, 0.01),
        (124.342113, 100, 0.05),
        (1073.642651, 999, 0.05),
    ],
)
def test_chi_squared_is_that_of_the_tables(statistic, freedom, tail):
    assert chi_squared_tail(statistic, freedom) == pytest.approx(tail, rel=1e-5)


@pytest.mark.parametrize("statistic", [0.1, 1, 5, 30, 200])
def test_chi_squared_is_that_of_its_closed_forms(statistic):
    assert chi_squared_tail(statistic, 1) == pytest.approx(erfc(sqrt(statistic / 2)), rel=1e-9)
    assert chi_squared_tail(statistic, 2) == pytest.approx(exp(-statistic / 2), rel=1e-9)
    assert chi_squared_tail(statistic, 4) == pytest.approx((1 + statistic / 2) * exp(-statistic / 2), rel=1e-9)


def test_degrees_of_freedom_need_not_be_whole():
    assert chi_squared_tail(5, 2) < chi_squared_tail(5, 2.5) < chi_squared_tail(5, 3)


def test_rare_draws_have_the_tail_of_poisson():
    fewer_than_ten = sum(exp(-5) * 5**number / factorial(number) for number in range(10))
    assert deviation_tail(5, 5) == pytest.approx(2 * (1 - fewer_than_ten))


@pytest.mark.parametrize(("draws", "chance"), [(20, 0.5), (50, 0.1), (200, 0.3), (40, 0.9)])
def test_the_tail_is_never_below_that_of_the_binomial(draws, chance):
    mean, variance = draws * chance, draws * chance * (1 - chance)
    for number in range(0, draws + 1, 1 + draws // 50):
        further = [other for other in range(draws + 1) if (other - mean) * (number - mean) > 0]
        further = [other for other in further if abs(other - mean) >= abs(number - mean)]
        exact = sum(comb(draws, other) * chance**other * (1 - chance) ** (draws - other) for other in further)
        if 1e-9 < exact < 0.05:
            assert deviation_tail(number - mean, variance) >= 2 * exact


def test_with_a_large_variance_it_is_that_of_the_normal_distribution():
    assert deviation_tail(3 * 1_000, 1_000**2) == pytest.approx(erfc(3 / sqrt(2)), rel=0.05)


def test_no_deviation_is_no_evidence():
    assert deviation_tail(0, 100) == 1


def test_what_cannot_vary_may_not_deviate():
    assert deviation_tail(1, 0) == 0


def test_holm_multiplies_by_those_that_are_left():
    assert holm({"a": 0.03, "b": 0.01, "c": 0.04}) == pytest.approx({"b": 0.03, "a": 0.06, "c": 0.06})
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}
