"""Packs the candidates of a decision into a few bytes, to be kept with it permanently.

One byte of format, then 21 bytes a candidate: operator id (8), weight (1), load (2), limit (1), obstacle (1),
progress (8), all little-endian.
"""

import struct
from collections.abc import Sequence

from routing.selection import Candidate

FORMAT = 1
MEMBER = struct.Struct("<qBHBBd")
MOST = 2**16 - 1
OBSTACLES = (None, "inactive", "full", "excluded")  # append only: the index in this list is stored


def pack_candidates(candidates: Sequence[Candidate]) -> bytes:
    return bytes([FORMAT]) + b"".join(
        [
            MEMBER.pack(operator_id, weight, min(load, MOST), max_load, OBSTACLES.index(obstacle), progress)
            for operator_id, weight, load, max_load, obstacle, progress in candidates
        ]
    )


def unpack_candidates(packed: bytes) -> tuple[Candidate, ...]:
    """The candidates as they were packed. Raises ValueError for a format that this version does not know."""
    if packed[:1] != bytes([FORMAT]):
        raise ValueError(f"Evidence of an unknown format: {packed[:1]!r}")
    return tuple(
        Candidate(operator_id, weight, load, max_load, OBSTACLES[obstacle], progress)
        for operator_id, weight, load, max_load, obstacle, progress in MEMBER.iter_unpack(packed[1:])
    )
