import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import history
from routing.candidate_codec import pack_candidates, unpack_candidates, unpack_first_draw
from routing.selection import Candidate, FirstDraw, choose

candidates = st.lists(
    st.builds(
        Candidate,
        operator_id=st.integers(1, 2**63 - 1),
        weight=st.integers(1, 100),
        load=st.integers(0, 1000),
        max_load=st.integers(1, 100),
        obstacle=st.sampled_from([None, "full", "inactive", "excluded"]),
        progress=st.floats(0, 1e9),
    )
)


@given(candidates)
def test_what_was_packed_comes_back(roster):
    assert unpack_candidates(pack_candidates(roster)) == tuple(roster)


def test_a_member_costs_less_than_40_bytes():
    members = [Candidate(operator_id=n, weight=10, load=3, max_load=10) for n in range(100)]
    assert len(pack_candidates(members)) / 100 < 40


members = tuple(Candidate(operator_id=n, weight=10, load=3, max_load=10) for n in (1, 2))
lost = choose(members, 0.1)
final = choose([members[0]._replace(obstacle="full"), members[1]], 0.2)


def drawn(*decisions):
    first = FirstDraw()
    for decision in decisions:
        first.remember(decision)
    return first


def test_without_a_lost_race_nothing_is_stored_in_addition():
    assert history.pack_evidence(lost, drawn(lost).lost_to(lost)) == pack_candidates(members)


def test_a_first_draw_that_was_lost_is_kept_with_the_decision():
    packed = history.pack_evidence(final, drawn(lost, final).lost_to(final)) or b""
    assert (unpack_first_draw(packed), unpack_candidates(packed)) == (lost, final.candidates)


def test_a_first_draw_is_kept_alone_if_older_contacts_came_first():
    packed = history.pack_evidence(None, drawn(lost).lost_to(None)) or b""
    assert (unpack_first_draw(packed), unpack_candidates(packed)) == (lost, None)


def test_a_first_draw_with_the_same_result_need_not_be_kept():
    again = choose(members, 0.2)
    assert drawn(lost, again).lost_to(again) is None


def test_the_turn_and_known_clients_are_no_draws():
    in_turn, known = choose(members, None, strategy="smooth"), choose(members, 0.5, preferred=1)
    assert drawn(in_turn, known, final).lost_to(final) is None


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="unknown format"):
        unpack_candidates(b"\xff")
