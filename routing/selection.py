"""The rule that chooses the operator for the next contact. Pure functions: no side effects, database or clock.

The input is the roster as frozen candidates and a number in [0, 1); the decision can be recomputed from both.

A strategy is a function that gives each eligible candidate a width, an integer. The widths divide the range of the
draw into intervals, and the draw falls into one of them: a candidate's probability is its width over the sum.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

NO_OPERATORS = "no_operators"  # the roster is empty
ALL_INACTIVE = "all_inactive"  # all operators are off duty
ALL_FULL = "all_full"  # all operators are at the limit
ALL_CAPPED = "all_capped"  # all operators have had enough for this hour or day, or for now out of the queue
NONE_AVAILABLE = "none_available"  # no operator is eligible, for different reasons
# Set by the caller: a closed source, and one outside its opening hours, has no candidates.
SOURCE_CLOSED = "source_closed"
CLOSED_HOURS = "closed_hours"

# Tolerances of `smooth`: with sequential requests each operator stays less than one contact away from its exact share,
# but concurrent requests may choose the same operator, and one who was away may be behind.
AHEAD = 0.5  # contacts; with 1.0, parallel choices together pushed the heaviest operator further back than BEHIND
BEHIND = 2.0  # contacts

REASON_FOR_ALL = {"inactive": ALL_INACTIVE, "full": ALL_FULL, "capped": ALL_CAPPED, "paced": ALL_CAPPED}


class Candidate(NamedTuple):
    """A roster member at the time of the decision. `obstacle`: why it cannot be chosen, None if it can.

    `progress` is the state of `smooth`: it grows by 1 / weight with each contact of the source.
    """

    operator_id: int
    weight: int
    load: int
    max_load: int
    obstacle: str | None = None
    progress: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """The chosen operator, or the reason why none was chosen: exactly one of `chosen` and `reason` is None.

    `preferred` is the lead's last operator, if the source is sticky. `draw` is None if the decision was not random.
    """

    candidates: tuple[Candidate, ...]
    strategy: str
    draw: float | None
    preferred: int | None
    chosen: int | None
    reason: str | None

    @property
    def is_sticky(self) -> bool:
        return self.chosen is not None and self.chosen == self.preferred


@dataclass(slots=True)
class FirstDraw:
    """Remembers the first random decision for a contact, over all attempts to assign it.

    Fairness is judged by it: what decides whether an attempt is lost is whom it drew, so the attempts that succeed are
    no random sample (docs/fairness.md).
    """

    decision: Decision | None = None

    def remember(self, decision: Decision) -> None:
        if self.decision is None and decision.draw is not None:
            self.decision = decision

    def lost_to(self, final: Decision | None) -> Decision | None:
        """The first draw if it differs from the final decision in more than the draw, else None."""
        first = self.decision
        if first is None or first is final:
            return None
        if final and (first.chosen, first.strategy, first.preferred, first.candidates) == (
            final.chosen,
            final.strategy,
            final.preferred,
            final.candidates,
        ):
            return None
        return first


Widths = dict[int, int]  # operator id to width


def choose(
    candidates: Sequence[Candidate],
    draw: float | None,
    *,
    strategy: str = "weighted_random",
    preferred: int | None = None,
) -> Decision:
    """Chooses one of the eligible candidates. `draw` is in [0, 1), or None for a deterministic strategy."""
    line = widths(candidates, strategy=strategy, preferred=preferred)
    point = int((draw or 0.0) * sum(line.values()))
    chosen = None
    for operator_id, width in line.items():
        chosen = operator_id
        point -= width
        if point < 0:
            break
    by_chance = strategy != "smooth" and chosen not in (None, preferred)
    return Decision(
        candidates=tuple(candidates),
        strategy=strategy,
        draw=draw if by_chance else None,
        preferred=preferred,
        chosen=chosen,
        reason=why_nobody(candidates) if chosen is None else None,
    )


def probabilities(
    candidates: Sequence[Candidate], *, strategy: str = "weighted_random", preferred: int | None = None
) -> dict[int, float]:
    """Operator id to its probability of being chosen; they add up to 1, or to 0 if no operator is eligible."""
    line = widths(candidates, strategy=strategy, preferred=preferred)
    total = sum(line.values())
    return {
        candidate.operator_id: line.get(candidate.operator_id, 0) / total if total else 0.0 for candidate in candidates
    }


def widths(candidates: Sequence[Candidate], *, strategy: str, preferred: int | None) -> Widths:
    """The widths of the candidates that can be chosen."""
    able = [candidate for candidate in candidates if candidate.obstacle is None]
    if preferred is not None and any(candidate.operator_id == preferred for candidate in able):
        return {preferred: 1}
    return STRATEGIES[strategy](able) if able else {}


def weighted_random(able: Sequence[Candidate]) -> Widths:
    """Chooses each with probability weight / sum of weights."""
    return {candidate.operator_id: candidate.weight for candidate in able}


def least_loaded(able: Sequence[Candidate]) -> Widths:
    """Chooses the lowest load relative to the limit; among equals the highest weight; among equals again, at random."""
    rank = {candidate.operator_id: (candidate.load / candidate.max_load, -candidate.weight) for candidate in able}
    best = min(rank.values())
    return {operator_id: 1 for operator_id in rank if rank[operator_id] == best}


def smooth(able: Sequence[Candidate]) -> Widths:
    """Keeps each operator less than one contact away from its exact share while the roster does not change.

    Of those who are owed enough, chooses the one whose next contact is due first: Tijdeman, "The chairman assignment
    problem", Discrete Mathematics 32 (1980), whose bound is 1 - 1 / (2n - 2) for n candidates.
    """
    slack = 1 / (2 * len(able) - 2) if len(able) > 1 else 0.0
    owing = contacts_owed(able)
    enough = min(slack, max(owing.values())) - 1e-9
    due = {
        candidate.operator_id: (1 - slack - owing[candidate.operator_id]) / candidate.weight
        for candidate in able
        if owing[candidate.operator_id] >= enough
    }
    return {min(due, key=lambda operator_id: (due[operator_id], operator_id)): 1}


def contacts_owed(able: Sequence[Candidate]) -> dict[int, float]:
    """Operator id to the number of contacts it is behind its exact share, including the next contact. The sum is 1."""
    return owed_at(able, level_progress(able))


def owed_at(able: Sequence[Candidate], levels: Mapping[int, float]) -> dict[int, float]:
    """`contacts_owed`, from the operators' levels."""
    total = sum(candidate.weight for candidate in able)
    due = mean_level(able, levels) + 1 / total
    return {candidate.operator_id: candidate.weight * (due - levels[candidate.operator_id]) for candidate in able}


def mean_level(able: Sequence[Candidate], levels: Mapping[int, float]) -> float:
    total = sum(candidate.weight for candidate in able)
    return sum(candidate.weight * levels[candidate.operator_id] for candidate in able) / total


def level_progress(able: Sequence[Candidate]) -> dict[int, float]:
    """Operator id to progress, raised for operators who were away or are new.

    An operator who was always present is at most BEHIND contacts behind. One who returns is owed no more than that
    either, so that it does not get all next contacts.
    """
    reach = {candidate.operator_id: BEHIND / candidate.weight for candidate in able}
    latest = max(candidate.progress - reach[candidate.operator_id] for candidate in able)
    near = {candidate.operator_id: max(candidate.progress, latest - reach[candidate.operator_id]) for candidate in able}
    total = sum(candidate.weight for candidate in able)
    time = sum(candidate.weight * near[candidate.operator_id] for candidate in able) / total
    return {operator_id: max(progress, time - reach[operator_id]) for operator_id, progress in near.items()}


def level_with(candidates: Sequence[Candidate]) -> float:
    """The progress of somebody who is neither behind nor ahead of those who can be chosen, or if nobody can, of the one
    who is furthest."""
    able = [candidate for candidate in candidates if candidate.obstacle is None]
    if not able:
        return max((candidate.progress for candidate in candidates), default=0.0)
    return mean_level(able, level_progress(able))


def progress_after(candidates: Sequence[Candidate], chosen: int) -> float | None:
    """The chosen operator's progress after it gets the contact.

    None if it must not get it, because concurrent requests have given it more than it was owed. AHEAD contacts are
    tolerated, so that concurrent requests rarely have to start again.
    """
    able = [candidate for candidate in candidates if candidate.obstacle is None]
    weight = next((candidate.weight for candidate in able if candidate.operator_id == chosen), None)
    if weight is None:
        return None
    levels = level_progress(able)
    if owed_at(able, levels)[chosen] < -AHEAD:
        return None
    return levels[chosen] + 1 / weight


def why_nobody(candidates: Sequence[Candidate]) -> str:
    """The reason for waiting if none of these candidates is eligible."""
    reasons = {REASON_FOR_ALL.get(candidate.obstacle or "", NONE_AVAILABLE) for candidate in candidates}
    if not reasons:
        return NO_OPERATORS
    return reasons.pop() if len(reasons) == 1 else NONE_AVAILABLE


STRATEGIES: dict[str, Callable[[Sequence[Candidate]], Widths]] = {
    "weighted_random": weighted_random,
    "smooth": smooth,
    "least_loaded": least_loaded,
}
