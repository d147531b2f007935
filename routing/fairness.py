"""Fairness: whether the contacts that each operator got differ from what the rule promised by more than chance.

docs/fairness.md derives the verdict and what it can and cannot find. `decision_sums` adds up the decisions, `tallies`
keeps the sums, `significance` has the statistics.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from math import sqrt

from django.db import Error

from core import deadline
from core.db import replica
from core.errors import Busy
from routing import tallies
from routing.decision_sums import STRETCH, Sums
from routing.models import RosterEntry
from routing.significance import chi_squared_tail, deviation_tail, holm

log = logging.getLogger(__name__)

PATIENCE = 5.0  # seconds that a question may spend on tallies
LEVEL = 0.05  # how often a fair source may be called unfair
BAND = 1.96  # standard deviations to each side hold 95 % of a normal distribution
CONTINUITY = 0.5  # contacts are whole, the normal distribution is not
ENOUGH = 5.0  # expected contacts below which operators are judged together, as usual for chi-squared

FAIR, UNFAIR, NO_CHOICE = "fair", "unfair", "no_choice"

Pair = tuple[int, int]  # source id, operator id


@dataclass(frozen=True, slots=True)
class Share:
    """One operator in one source. Numbers are contacts; `share` is a part of all contacts assigned there by the rule.

    `drawn` is judged against `expected`, of `drawn` `taken` went elsewhere because the place was taken meanwhile, and
    `low` and `high` bound the 95 % band around `expected`. `by_weight` is what the weights alone would have given;
    `reasons` add up to assigned + by_hand - by_weight. `verdict` and `p_value` are those of the whole source.
    """

    source_id: int
    operator_id: int
    assigned: int
    expected: float
    share: float
    configured_share: float
    low: float
    high: float
    within_chance: bool
    drawn: int
    taken: int
    by_hand: int
    by_weight: float
    reasons: Mapping[str, float]
    verdict: str
    p_value: float | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """On one source: FAIR, UNFAIR, or NO_CHOICE if nothing could be judged. `p_value`: how often a fair source would
    deviate as much, None without choices by chance. `outside`: the operators who deviate too much, by themselves."""

    verdict: str
    p_value: float | None
    outside: frozenset[int]


def distribution(
    *, source_id: int | None = None, since: datetime | None = None, until: datetime | None = None
) -> list[Share]:
    """Every operator's share in every source, or in one, by decisions taken from `since` until before `until`.

    Tallies complete hours first, so that it stays fast where no sweep runs, but not for long: it is a question.
    """
    try:
        with deadline.limit_to(PATIENCE):
            tallies.tally_hours()
    except (Busy, Error):
        log.warning("Not tallied", exc_info=True)  # the result is still correct, only slower
    return shares(source_id, since, until)


def shares(source_id: int | None, since: datetime | None, until: datetime | None) -> list[Share]:
    sums = replica.read(partial(tallies.sums_of_period, source_id, since, until))
    weights = configured_weights(source_id)
    total_assigned, total_weight = Counter[int](), Counter[int]()
    by_source: dict[int, dict[int, Sums]] = defaultdict(dict)
    for (source, operator), its in sums.items():
        total_assigned[source] += its.assigned
        by_source[source][operator] = its
    for (source, _), weight in weights.items():
        total_weight[source] += weight
    verdicts = {source: judge_source(its) for source, its in by_source.items()}
    nothing = Verdict(NO_CHOICE, None, frozenset())
    return [
        share_of(
            pair,
            sums.get(pair) or Sums(),
            verdicts.get(pair[0], nothing),
            total_assigned=total_assigned[pair[0]],
            configured_share=weights.get(pair, 0) / total_weight[pair[0]] if total_weight[pair[0]] else 0.0,
        )
        for pair in sorted(sums.keys() | weights.keys())
    ]


def share_of(pair: Pair, its: Sums, verdict: Verdict, *, total_assigned: int, configured_share: float) -> Share:
    reach = BAND * sqrt(max(its.variance, 0.0)) + CONTINUITY + turn_bound(its)
    reasons = {
        "duty": its.duty,
        "limit": its.limit,
        "given_back": its.given_back,
        "sticky": its.sticky,
        "load": its.load,
        "chance": its.drawn - its.expected,
        "taken": float(its.assigned - its.drawn),
        "by_hand": float(its.by_hand),
    }
    return Share(
        *pair,
        assigned=its.assigned,
        expected=its.expected,
        share=its.assigned / total_assigned if total_assigned else 0.0,
        configured_share=configured_share,
        low=its.expected - reach,
        high=its.expected + reach,
        within_chance=pair[1] not in verdict.outside,
        drawn=its.drawn,
        taken=its.taken,
        by_hand=its.by_hand,
        by_weight=its.assigned + its.by_hand - sum(reasons.values()),
        reasons=reasons,
        verdict=verdict.verdict,
        p_value=verdict.p_value,
    )


def judge_source(sums: Mapping[int, Sums]) -> Verdict:
    """The verdict on one source from the sums of its operators, by id.

    Two tests share LEVEL: one of all operators together, which finds that shares are bent, and one of each, which finds
    a single one in a large roster. What a strategy promises without chance is either kept or not.
    """
    together = 2 * operators_together(sums)
    each = operator_tails(sums)
    outside = {operator_id for operator_id, tail in each.items() if tail < LEVEL}
    outside |= {operator_id for operator_id, its in sums.items() if its.broken or abs(its.turn) > turn_bound(its)}
    p_value = min(together, *each.values(), 1.0) if each else None
    if outside or (p_value is not None and p_value < LEVEL):
        return Verdict(UNFAIR, p_value, frozenset(outside))
    return Verdict(FAIR if any(its.choices for its in sums.values()) else NO_CHOICE, p_value, frozenset())


def operator_tails(sums: Mapping[int, Sums]) -> dict[int, float]:
    """The p-value of each operator with a choice by chance, adjusted for their number and for the test of all."""
    tails = {
        operator_id: deviation_tail(chance_deviation(its), its.variance)
        for operator_id, its in sums.items()
        if its.variance > 0
    }
    return {operator_id: min(2 * tail, 1.0) for operator_id, tail in holm(tails).items()}


def chance_deviation(its: Sums) -> float:
    """By how many contacts the draws differ from their expectation. What `smooth` did is no chance."""
    return its.drawn - its.expected - its.turn


def turn_bound(its: Sums) -> float:
    """How far `smooth` may be from the share by weight. The period may begin in the middle of a stretch."""
    return STRETCH + its.leeway if its.turn or its.leeway else 0.0


def operators_together(sums: Mapping[int, Sums]) -> float:
    """The probability that a fair source deviates as much, by the chi-squared test for draws of changing probabilities.

    The statistic is the usual sum of deviation^2 / expected. If all have the same probabilities in every decision, it
    has one degree of freedom less than operators: sum (1 - p). Otherwise its mean is sum variance / expected, from the
    exact covariance of the decisions, and no variable with this mean has a heavier tail than the chi-squared one with
    so many degrees of freedom (docs/fairness.md).
    """
    statistic = freedom = 0.0
    few = [0.0, 0.0, 0.0]
    for its in sums.values():
        cell = (chance_deviation(its), its.at_stake, its.variance)
        if its.at_stake >= ENOUGH:
            statistic += cell[0] ** 2 / cell[1]
            freedom += cell[2] / cell[1]
        elif its.at_stake > 0:
            few = [total + number for total, number in zip(few, cell, strict=True)]
    if few[1] >= ENOUGH:
        statistic += few[0] ** 2 / few[1]
        freedom += few[2] / few[1]
    return chi_squared_tail(statistic, freedom) if freedom > 0 else 1.0


def configured_weights(source_id: int | None) -> dict[Pair, int]:
    """The weights of the open sources, or of one."""
    entries = RosterEntry.objects.current()
    entries = entries.filter(source=source_id) if source_id else entries
    return {
        (source, operator): weight for source, operator, weight in entries.values_list("source", "operator", "weight")
    }
