"""The rule: who should get the next contact. Pure: it changes nothing and knows neither database nor clock.

It takes the roster as frozen candidates and a number in [0, 1); the decision can be recomputed from both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

NO_OPERATORS = "no_operators"  # the roster is empty
ALL_INACTIVE = "all_inactive"  # everybody is off duty
ALL_FULL = "all_full"  # everybody is at the limit
NONE_AVAILABLE = "none_available"  # nobody is eligible, for different reasons

SOURCE_CLOSED = "source_closed"  # found by the caller: a closed source has no candidates

REASON_FOR_ALL = {"inactive": ALL_INACTIVE, "full": ALL_FULL}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A roster member as it was at the moment of the decision. `obstacle`: why it cannot be chosen, None if it can."""

    operator_id: int
    weight: int
    load: int
    max_load: int
    obstacle: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Who was chosen, or why nobody was: exactly one of `chosen` and `reason` is None."""

    candidates: tuple[Candidate, ...]
    draw: float
    chosen: int | None
    reason: str | None


def choose(candidates: Sequence[Candidate], draw: float) -> Decision:
    """Weighted random: each eligible candidate with probability weight / sum of the eligible weights.

    The candidates stand side by side on a line, each as wide as its weight; `draw`, in [0, 1), points at one of them.
    """
    total = sum(candidate.weight for candidate in eligible(candidates))
    chosen = None
    point = int(draw * total)
    for candidate in eligible(candidates):
        chosen = candidate.operator_id
        point -= candidate.weight
        if point < 0:
            break
    reason = why_nobody(candidates) if chosen is None else None
    return Decision(candidates=tuple(candidates), draw=draw, chosen=chosen, reason=reason)


def probabilities(candidates: Sequence[Candidate]) -> dict[int, float]:
    """Operator id to its probability of being chosen; all of them together make 1, or 0 when nobody is eligible."""
    total = sum(candidate.weight for candidate in eligible(candidates))
    return {candidate.operator_id: 0.0 if candidate.obstacle else candidate.weight / total for candidate in candidates}


def eligible(candidates: Sequence[Candidate]) -> list[Candidate]:
    return [candidate for candidate in candidates if candidate.obstacle is None]


def why_nobody(candidates: Sequence[Candidate]) -> str:
    """The reason for waiting when none of these candidates is eligible."""
    obstacles = {candidate.obstacle for candidate in candidates}
    if not obstacles:
        return NO_OPERATORS
    if len(obstacles) == 1:
        return REASON_FOR_ALL.get(obstacles.pop() or "", NONE_AVAILABLE)
    return NONE_AVAILABLE
