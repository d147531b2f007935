from routing.selection import Candidate, choose, probabilities

half = Candidate(operator_id=1, weight=10, load=5, max_load=10)
third = Candidate(operator_id=2, weight=10, load=10, max_load=30)
heavy_third = Candidate(operator_id=3, weight=20, load=1, max_load=3)
twin_of_heavy = Candidate(operator_id=4, weight=20, load=2, max_load=6)


def chosen(*roster, draw=0.5):
    return choose(roster, draw, strategy="least_loaded").chosen


def test_load_counts_relative_to_the_limit():
    assert chosen(half, third) == third.operator_id


def test_among_equals_the_higher_weight_is_chosen():
    assert chosen(third, heavy_third) == heavy_third.operator_id


def test_among_equals_of_equal_weight_chance_decides():
    assert probabilities([heavy_third, twin_of_heavy, half], strategy="least_loaded") == {3: 0.5, 4: 0.5, 1: 0.0}
    assert {chosen(heavy_third, twin_of_heavy, draw=draw) for draw in (0.2, 0.8)} == {3, 4}
