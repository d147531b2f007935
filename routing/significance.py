"""How likely a deviation is by chance. Pure functions; docs/fairness.md derives what they are used for.

Every tail is an incomplete gamma function, computed by its series or by its continued fraction (Lentz's method):
Abramowitz and Stegun, "Handbook of Mathematical Functions", 6.5.29 and 6.5.31.
"""

from collections.abc import Mapping
from math import exp, lgamma, log
from typing import TypeVar

Key = TypeVar("Key")

PRECISION = 1e-12
TERMS = 10_000
TINY = 1e-300


def chi_squared_tail(statistic: float, freedom: float) -> float:
    """The probability that a chi-squared variable with this many degrees of freedom, above 0, is at least this."""
    return upper_gamma(freedom / 2, statistic / 2)


def deviation_tail(deviation: float, variance: float) -> float:
    """The probability, two-sided, that a sum of independent trials is this far from its expected number.

    A Poisson variable with the same variance stands in for the sum: exact for rare trials, cautious for others. It
    needs no more than the variance, and holds for trials of any probabilities.
    """
    distance = abs(deviation)
    if variance <= 0:
        return 0.0 if distance > 0 else 1.0
    if distance**2 < variance / 4:
        return 1.0  # half a standard deviation is nothing, and most are not further away
    return min(2 * lower_gamma(variance + distance, variance), 1.0)


def holm(tails: Mapping[Key, float]) -> dict[Key, float]:
    """The p-values adjusted for their number: all those below a level are rejected, with the chance of that level to
    reject any wrongly. Holm, "A simple sequentially rejective multiple test procedure", 1979."""
    adjusted: dict[Key, float] = {}
    highest = 0.0
    for place, key in enumerate(sorted(tails, key=lambda key: tails[key])):
        highest = max(highest, min(tails[key] * (len(tails) - place), 1.0))
        adjusted[key] = highest
    return adjusted


def upper_gamma(shape: float, point: float) -> float:
    """The regularised incomplete gamma function Q(shape, point)."""
    if point <= 0:
        return 1.0
    return 1 - gamma_series(shape, point) if point < shape + 1 else gamma_fraction(shape, point)


def lower_gamma(shape: float, point: float) -> float:
    """The regularised incomplete gamma function P(shape, point)."""
    if point <= 0:
        return 0.0
    return gamma_series(shape, point) if point < shape + 1 else 1 - gamma_fraction(shape, point)


def gamma_series(shape: float, point: float) -> float:
    """P(shape, point), for points below shape + 1."""
    term = total = 1 / shape
    for number in range(1, TERMS):
        term *= point / (shape + number)
        total += term
        if term < total * PRECISION:
            break
    return min(total * density(shape, point), 1.0)


def gamma_fraction(shape: float, point: float) -> float:
    """Q(shape, point), for points from shape + 1 on."""
    step = point + 1 - shape
    c, d = 1 / TINY, 1 / step
    fraction = d
    for number in range(1, TERMS):
        factor = number * (shape - number)
        step += 2
        d = 1 / nonzero(factor * d + step)
        c = nonzero(step + factor / c)
        fraction *= c * d
        if abs(c * d - 1) < PRECISION:
            break
    return min(fraction * density(shape, point), 1.0)


def nonzero(number: float) -> float:
    return number if abs(number) > TINY else TINY


def density(shape: float, point: float) -> float:
    return exp(shape * log(point) - point - lgamma(shape))
