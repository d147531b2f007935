import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.candidate_codec import pack_candidates, unpack_candidates
from routing.selection import Candidate

candidates = st.lists(
    st.builds(
        Candidate,
        operator_id=st.integers(1, 2**63 - 1),
        weight=st.integers(0, 100),
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


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="unknown format"):
        unpack_candidates(b"\xff")
