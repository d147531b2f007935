"""Packs the candidates of a decision into a few bytes, to be kept with it permanently.

One byte of format, then 21 bytes a candidate: operator id (8), weight (1), load (2), limit (1), obstacle (1),
progress (8), all little-endian. After a lost race the second format holds the first draw as well: its strategy (1),
draw (8), preferred operator (8), chosen operator (8), whether a decision followed (1) and the number of its candidates
(4), then its candidates, then those of the decision.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from routing.selection import Candidate, Decision

FORMAT = 1
WITH_FIRST_DRAW = 2
MEMBER = struct.Struct("<qBHBBd")
FIRST_DRAW = struct.Struct("<Bdqq?I")
MOST = 2**16 - 1
OBSTACLES = (None, "inactive", "full", "excluded", "capped", "paced")  # append only: the index in this list is stored
STRATEGIES = ("weighted_random", "smooth", "least_loaded")  # append only, as well


@dataclass(frozen=True, slots=True)
class Evidence:
    """The parts of packed evidence. `members` are the packed candidates of the decision, None if it was not taken
    because older contacts came first; `first` and its candidates are there only if a first draw was lost."""

    members: bytes | None
    first: tuple[str, float, int | None, int] | None = None  # strategy, draw, preferred, chosen
    first_members: bytes = b""


def pack_candidates(candidates: Sequence[Candidate]) -> bytes:
    return bytes([FORMAT]) + pack_members(candidates)


def pack_first_draw(first: Decision, candidates: Sequence[Candidate] | None) -> bytes:
    """The first draw, and the candidates of the decision that followed; None if older contacts came first."""
    return b"".join(
        [
            bytes([WITH_FIRST_DRAW]),
            FIRST_DRAW.pack(
                STRATEGIES.index(first.strategy),
                first.draw or 0.0,
                first.preferred or 0,
                first.chosen or 0,
                candidates is not None,
                len(first.candidates),
            ),
            pack_members(first.candidates),
            pack_members(candidates or ()),
        ]
    )


def pack_members(candidates: Sequence[Candidate]) -> bytes:
    return b"".join(
        [
            MEMBER.pack(operator_id, weight, min(load, MOST), max_load, OBSTACLES.index(obstacle), progress)
            for operator_id, weight, load, max_load, obstacle, progress in candidates
        ]
    )


def unpack_candidates(packed: bytes) -> tuple[Candidate, ...] | None:
    """The candidates of the decision, None if there was none. Raises ValueError for a format unknown to this
    version."""
    members = split_evidence(packed).members
    return None if members is None else unpack_members(members)


def unpack_first_draw(packed: bytes) -> Decision | None:
    """The first draw, if it was lost. Raises ValueError like `unpack_candidates`."""
    evidence = split_evidence(packed)
    if evidence.first is None:
        return None
    strategy, draw, preferred, chosen = evidence.first
    return Decision(
        candidates=unpack_members(evidence.first_members),
        strategy=strategy,
        draw=draw,
        preferred=preferred,
        chosen=chosen,
        reason=None,
    )


def split_evidence(packed: bytes) -> Evidence:
    """The parts, with the candidates still packed. Raises ValueError for what neither this version nor one before it
    has packed: a newer format, or damage."""
    if packed[:1] == bytes([FORMAT]):
        return Evidence(checked_members(packed[1:]))
    if packed[:1] != bytes([WITH_FIRST_DRAW]) or len(packed) <= FIRST_DRAW.size:
        raise ValueError(f"Evidence of an unknown format: {packed[:1]!r}, {len(packed)} bytes")
    strategy, draw, preferred, chosen, is_decided, number = FIRST_DRAW.unpack_from(packed, 1)
    start = 1 + FIRST_DRAW.size
    end = start + number * MEMBER.size
    if strategy >= len(STRATEGIES) or end > len(packed):
        raise ValueError(
            f"Evidence of a first draw that cannot have been one: strategy {strategy}, {number} drawn from"
        )
    return Evidence(
        members=checked_members(packed[end:]) if is_decided else None,
        first=(STRATEGIES[strategy], draw, preferred or None, chosen),
        first_members=checked_members(packed[start:end]),
    )


def checked_members(members: bytes) -> bytes:
    """The packed candidates. Compares whole columns, because a roster may have a thousand."""
    weights, limits, obstacles = (members[place :: MEMBER.size] for place in (8, 11, 12))
    if len(members) % MEMBER.size or 0 in weights or 0 in limits or max(obstacles, default=0) >= len(OBSTACLES):
        raise ValueError(f"Evidence of candidates that cannot have been any: {len(members)} bytes")
    return members


def unpack_members(members: bytes) -> tuple[Candidate, ...]:
    found = tuple(
        Candidate(operator_id, weight, load, max_load, OBSTACLES[obstacle], progress)
        for operator_id, weight, load, max_load, obstacle, progress in MEMBER.iter_unpack(members)
    )
    if not all(isfinite(candidate.progress) for candidate in found):
        raise ValueError("Evidence of a progress that is no number")
    return found
