"""The verdict on a source, over simulated histories with fixed random numbers; sums are drawn without a database."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest

from routing import fairness
from routing.candidate_codec import pack_members
from routing.decision_sums import STRETCH, SourceSums, Sums
from routing.selection import Candidate, choose

Stretch = tuple[Mapping[int, int], int]  # the weights of those who could be chosen, and how many contacts came


def draw(rng: random.Random, stretches: Sequence[Stretch], misread: Mapping[int, float] | None = None):
    """The sums of a source; `misread` are factors by which the rule gets weights wrong."""
    sums = {operator: Sums() for weights, _ in stretches for operator in weights}
    for weights, contacts in stretches:
        total = sum(weights.values())
        used = [weight * (misread or {}).get(operator, 1) for operator, weight in weights.items()]
        drawn = Counter(rng.choices(list(weights), used, k=contacts))
        for operator, weight in weights.items():
            its, chance = sums[operator], weight / total
            its.drawn += drawn[operator]
            its.assigned += drawn[operator]
            its.expected += contacts * chance
            if len(weights) > 1:
                its.choices += drawn[operator]
                its.at_stake += contacts * chance
                its.variance += contacts * chance * (1 - chance)
    return sums


def some_stretches(rng, members, contacts):
    """A roster whose members come and go: in each stretch some of them can be chosen."""
    weights = {number: rng.randint(1, 100) for number in range(members)}
    stretches = rng.randint(1, 8)
    return [
        (dict(rng.sample(sorted(weights.items()), rng.randint(1, members))), contacts // stretches)
        for _ in range(stretches)
    ]


def unfair(histories):
    return sum(fairness.judge_source(sums).verdict == fairness.UNFAIR for sums in histories)


@pytest.mark.parametrize(("members", "contacts"), [(2, 400), (5, 100), (20, 600), (100, 300)])
def test_of_a_thousand_fair_histories_five_percent_at_most_are_called_unfair(members, contacts):
    rng = random.Random(members)
    assert unfair(draw(rng, [({n: 1 + n % 7 for n in range(members)}, contacts)]) for _ in range(1_000)) <= 50


def test_nor_are_they_when_members_come_and_go():
    rng = random.Random(1)
    histories = (draw(rng, some_stretches(rng, rng.randint(2, 25), rng.randint(20, 800))) for _ in range(1_000))
    assert unfair(histories) <= 50


def judge_with_lost_races(rng, contacts, *, by_last_draw=False):
    """The verdict on a team whose first member has one place, which is taken half of the time before it is locked."""
    sums = SourceSums()
    for _ in range(contacts):
        team = [Candidate(number, 10 * number, 0, 1 if number == 1 else 50) for number in (1, 2, 3)]
        first = final = choose(team, rng.random())
        if rng.random() < 0.5:
            team[0] = team[0]._replace(load=1, obstacle="full")
            if first.chosen == 1:
                final = choose(team, rng.random())
        judged = final if by_last_draw else first
        assert judged.chosen
        members = pack_members(judged.candidates)
        sums.add(members, strategy=judged.strategy, preferred=None, chosen=judged.chosen, operator_id=final.chosen)
    return fairness.judge_source(sums.settle()).verdict


def test_lost_races_make_no_more_false_verdicts():
    rng = random.Random(3)
    assert [judge_with_lost_races(rng, 500) for _ in range(100)].count(fairness.UNFAIR) <= 5


def test_judging_by_the_last_draw_would_make_them():
    """The control for the test above."""
    rng = random.Random(3)
    assert [judge_with_lost_races(rng, 500, by_last_draw=True) for _ in range(100)].count(fairness.UNFAIR) > 50


@pytest.mark.parametrize("factor", [0.8, 1.2])
@pytest.mark.parametrize("weights", [(10, 30), (10, 20, 30), (10, 20, 30, 40), (1, 1, 1, 1, 1)], ids=str)
def test_a_weight_misread_by_20_percent_is_found_in_5000_contacts(weights, factor):
    rng, roster = random.Random(5), dict(enumerate(weights))
    histories = [draw(rng, [(roster, 5_000)], {1: factor}) for _ in range(100)]
    assert unfair(histories) > 95


def test_it_is_found_also_when_members_come_and_go():
    rng, roster = random.Random(6), {0: 10, 1: 20, 2: 30, 3: 40}
    absent = [set[int](), {0}, {2}, {0, 3}]
    stretches = [({n: w for n, w in roster.items() if n not in away}, 1_250) for away in absent]
    assert unfair(draw(rng, stretches, {1: 1.2}) for _ in range(100)) > 95


def test_one_of_a_thousand_who_gets_three_times_as_much_is_named():
    rng, roster = random.Random(7), dict.fromkeys(range(1_000), 10)
    for _ in range(5):
        verdict = fairness.judge_source(draw(rng, [(roster, 20_000)], {17: 3}))
        assert (verdict.verdict, verdict.outside) == (fairness.UNFAIR, frozenset({17}))


def test_rows_cry_wolf_no_more_often_than_the_source():
    """Twenty rows, each judged by itself at 5 percent, would in more than half of the looks."""
    rng, roster = random.Random(8), dict.fromkeys(range(20), 10)
    verdicts = [fairness.judge_source(draw(rng, [(roster, 1_000)])) for _ in range(400)]
    assert sum(bool(verdict.outside) for verdict in verdicts) <= 20
    assert all(verdict.verdict == fairness.UNFAIR for verdict in verdicts if verdict.outside)


def test_without_a_choice_nothing_is_judged():
    verdict = fairness.judge_source(draw(random.Random(9), [({1: 10}, 500)]))
    assert (verdict.verdict, verdict.p_value) == (fairness.NO_CHOICE, None)


def test_a_turn_beyond_its_bound_is_unfair_whatever_chance_says():
    within, beyond = (Sums(choices=9, turn=turn, leeway=STRETCH) for turn in (2 * STRETCH, 2 * STRETCH + 0.01))
    assert fairness.judge_source({1: within}).verdict == fairness.FAIR
    assert fairness.judge_source({1: within, 2: beyond}) == fairness.Verdict(fairness.UNFAIR, None, frozenset({2}))


def test_one_decision_against_the_rule_is_unfair():
    assert fairness.judge_source({1: Sums(choices=9, broken=1)}).outside == {1}
