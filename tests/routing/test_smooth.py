import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.selection import Candidate, choose, progress_after


def team(*weights):
    return {
        number: Candidate(operator_id=number, weight=weight, load=0, max_load=100)
        for number, weight in enumerate(weights, 1)
    }


def serve(members):
    """One contact; who got it."""
    roster = list(members.values())
    chosen = choose(roster, None, strategy="smooth").chosen
    assert chosen is not None
    members[chosen] = members[chosen]._replace(progress=progress_after(roster, chosen))
    return chosen


def worst_distance(weights, contacts):
    """The greatest distance of anybody from the exact share, over so many contacts."""
    members, total, served = team(*weights), sum(weights), dict.fromkeys(range(1, len(weights) + 1), 0)
    worst = 0.0
    for number in range(1, contacts + 1):
        served[serve(members)] += 1
        worst = max(worst, *(abs(served[n] - weight * number / total) for n, weight in enumerate(weights, 1)))
    return worst


@given(st.lists(st.integers(1, 100), min_size=1, max_size=12))
def test_nobody_is_ever_a_whole_contact_from_the_exact_share(weights):
    assert worst_distance(weights, 200) < 1


def test_one_heavy_member_among_many_light_ones_gets_every_second_contact():
    assert worst_distance([100] + [1] * 100, 400) < 1


@pytest.mark.parametrize("away", [10, 1000])
def test_somebody_who_returns_is_not_flooded(away):
    members = team(10, 10, 10)
    members[3] = members[3]._replace(obstacle="inactive")
    for _ in range(away):
        serve(members)
    members[3] = members[3]._replace(obstacle=None)
    served = [serve(members) for _ in range(30)]
    assert abs(served.count(3) - 10) <= 2


def test_somebody_who_joins_starts_level():
    members = team(10, 20)
    for _ in range(1000):
        serve(members)
    members[3] = Candidate(operator_id=3, weight=30, load=0, max_load=100)
    served = [serve(members) for _ in range(60)]
    assert [abs(served.count(number) - share) <= 2 for number, share in ((1, 10), (2, 20), (3, 30))] == [True] * 3


def test_a_new_weight_counts_from_now_on():
    members = team(10, 10)
    for _ in range(100):
        serve(members)
    members[1] = members[1]._replace(weight=30)
    assert abs([serve(members) for _ in range(40)].count(1) - 30) <= 1


def test_who_was_given_too_much_by_others_may_not_have_another():
    members = team(10, 30, 60)
    given = 0
    while (progress := progress_after(list(members.values()), 3)) is not None:
        members[3] = members[3]._replace(progress=progress)
        given += 1
    assert given == 3  # it was owed 0.6 of the first and -0.2 of the third; the fourth would have made it -0.6
    assert [serve(members) for _ in range(2)].count(3) == 0


def test_what_came_at_once_is_made_up_for():
    members = team(10, 30, 60)
    for _ in range(3):
        members[3] = members[3]._replace(progress=progress_after(list(members.values()), 3))
    served = [3, 3, 3] + [serve(members) for _ in range(97)]
    assert [served.count(number) for number in (1, 2, 3)] == [10, 30, 60]
