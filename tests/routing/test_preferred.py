from routing.selection import Candidate, choose, probabilities

anna = Candidate(operator_id=1, weight=1, load=0, max_load=5)
boris = Candidate(operator_id=2, weight=99, load=0, max_load=5)
full_anna = Candidate(operator_id=1, weight=1, load=5, max_load=5, obstacle="full")


def test_the_one_whom_the_lead_knows_gets_it_without_a_draw():
    decision = choose([anna, boris], 0.99, preferred=1)
    assert (decision.chosen, decision.draw, decision.is_sticky) == (1, None, True)
    assert probabilities([anna, boris], preferred=1) == {1: 1.0, 2: 0.0}


def test_if_that_one_is_not_free_it_is_drawn_afresh():
    decision = choose([full_anna, boris], 0.0, preferred=1)
    assert (decision.chosen, decision.draw, decision.is_sticky) == (2, 0.0, False)


def test_one_who_is_not_on_the_roster_is_not_preferred():
    assert choose([boris], 0.0, preferred=1).chosen == 2
