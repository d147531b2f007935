"""What is predicted lies where the truth is; what cannot be reproduced is called so."""

from dataclasses import replace

import pytest

from routing.what_if.prediction import (
    Changes,
    Observed,
    differences,
    predict,
    queue_by_hour,
    seeds_for,
    waiting_percentiles,
    with_changes,
)
from tests.what_if.pasts import busy_days, happened, operator, past


@pytest.mark.parametrize("strategy", ["weighted_random", "smooth", "least_loaded"])
def test_what_happened_by_the_rule_is_reproduced(strategy):
    that = busy_days(1, strategy=strategy, limit=3, lasting=900.0)
    assert differences(happened(that), predict(that), len(that.arrivals)) == {}


def test_a_tampered_history_is_not():
    that = busy_days(1)
    truth = happened(that)
    tampered = Observed({1: truth.assigned[1] + 60, 2: truth.assigned[2], 3: truth.assigned[3] - 60}, truth.waits)
    assert differences(tampered, predict(that), len(that.arrivals)).keys() == {1, 3}


def test_nor_is_one_with_waits_that_the_rule_cannot_explain():
    that = busy_days(1)
    truth = happened(that)
    slow = Observed(truth.assigned, [(arrival.at, arrival.at + 7_200) for arrival in that.arrivals])
    assert {"waiting_p50", "waiting_p90"} <= differences(slow, predict(that), len(that.arrivals)).keys()


def test_an_operator_whom_the_replay_never_chose_differs():
    that = busy_days(1)
    truth = happened(that)
    assert 9 in differences(replace(truth, assigned={**truth.assigned, 9: 50}), predict(that), len(that.arrivals))


def test_of_100_truths_95_lie_in_the_band():
    """Weights that were never set, predicted from a month that went with others."""
    that = with_changes(busy_days(7, contacts=1_500, days=30), Changes({1: 40, 2: 5}, {}))
    predicted = predict(that)
    inside = [
        predicted.shares[pk].low <= number / sum(truth.assigned.values()) <= predicted.shares[pk].high
        for truth in (happened(that, seed) for seed in range(10_000, 10_100))
        for pk, number in truth.assigned.items()
    ]
    assert len(inside) == 300
    assert sum(inside) >= 285 - 8  # two standard deviations of what comes of 0.95


def test_doubling_a_weight_moves_the_share_to_the_configured_one():
    that = busy_days(3, limit=100, lasting=60.0)
    before, after = (predict(with_changes(that, Changes({3: weight}, {}))) for weight in (30, 60))
    # Operator 1 is away for an eighth of the day, so the shares are a little above those of the weights.
    assert before.shares[3].value == pytest.approx(30 / 60, abs=0.03)
    assert after.shares[3].value == pytest.approx(60 / 90, abs=0.03)


def test_a_higher_limit_shortens_the_waits():
    that = busy_days(3, limit=2, lasting=1_500.0)
    before, after = predict(that), predict(with_changes(that, Changes({}, {1: 50, 2: 50, 3: 50})))
    assert before.waiting_p90.value > 0
    assert after.waiting_p90.value == after.longest_queue.value == 0


def test_a_smaller_roster_gets_everything():
    after = predict(with_changes(busy_days(3), Changes({}, {}, roster=[2])))
    assert {pk: band.value for pk, band in after.shares.items()} == {1: 0, 2: 1, 3: 0}


def test_a_newcomer_gets_its_weight():
    newcomer = [one for one in operator(4) if one.name != "weight"]
    that = past([(at * 60, 1) for at in range(500)], operator(1, limit=100), newcomer)
    assert predict(that).shares[4].value == 0
    after = predict(with_changes(that, Changes({4: 30}, {})))
    assert after.shares[4].low < 0.75 < after.shares[4].high


def test_another_strategy_is_another_prediction():
    that = past([(at, 1) for at in range(300)], operator(1, weight=10), operator(2, weight=20))
    after = predict(with_changes(that, Changes({}, {}, strategy="smooth")))
    assert after.shares[1].value == pytest.approx(1 / 3)
    assert after.shares[1].high - after.shares[1].low < 0.01


@pytest.mark.parametrize(
    ("contacts", "strategy", "seeds"),
    [(100, "weighted_random", 100), (50_000, "weighted_random", 100), (50_000, "least_loaded", 10), (9, "smooth", 1)],
)
def test_what_takes_longer_is_replayed_less_often(contacts, strategy, seeds):
    assert seeds_for(past([(0, 1)] * contacts, operator(1), strategy=strategy)) == seeds


@pytest.mark.parametrize(
    ("contacts", "waits", "expected"),
    [
        (10, [], (0, 0)),
        (10, [(0, 5)], (0, 0)),
        (10, [(0, 5), (0, 7)], (0, 5)),
        (2, [(0, 5), (10, 40)], (5, 30)),
        (1, [(0, 5)], (5, 5)),
        (0, [], (0, 0)),
    ],
)
def test_percentiles_count_those_who_did_not_wait(contacts, waits, expected):
    assert waiting_percentiles(contacts, waits) == expected


def test_the_queue_by_hour_is_an_average_over_time():
    hours = [(hour * 3600.0, hour % 24) for hour in range(48)]
    # From half past nine to half past eleven of the first day, and the first half hour of the second.
    averages = queue_by_hour(hours, [(9.5 * 3600, 11.5 * 3600), (24 * 3600, 24.5 * 3600)])
    assert {hour: number for hour, number in enumerate(averages) if number} == {0: 0.25, 9: 0.25, 10: 0.5, 11: 0.25}


def test_what_waits_beyond_the_period_counts_within():
    averages = queue_by_hour([(0.0, 5), (3600.0, 6)], [(-9_000.0, 99_999.0)])
    assert (averages[5], averages[6]) == (1.0, 1.0)
