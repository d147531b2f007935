"""The rule: who should get the next contact. Pure: it changes nothing and knows neither database nor clock.

It takes the roster as frozen candidates and a number in [0, 1); the decision can be recomputed from both.

A strategy is a function that gives each eligible candidate a width, a whole number. The candidates stand side by side
on a line, each as wide as that, and the draw points at one of them: its probability is its width over the sum.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

NO_OPERATORS = "no_operators"  # the roster is empty
ALL_INACTIVE = "all_inactive"  # everybody is off duty
ALL_FULL = "all_full"  # everybody is at the limit
NONE_AVAILABLE = "none_available"  # nobody is eligible, for different reasons
SOURCE_CLOSED = "source_closed"  # found by the caller: a closed source has no candidates

# What `smooth` allows: one request after another nobody is a whole contact away from the exact share, but requests that
# come at once may choose the same one, and somebody who was away may be late.
AHEAD = 1.0  # contacts
BEHIND = 2.0  # contacts

REASON_FOR_ALL = {"inactive": ALL_INACTIVE, "full": ALL_FULL}


class Candidate(NamedTuple):
    """A roster member as it was at the moment of the decision. `obstacle`: why it cannot be chosen, None if it can.

    `progress` is what `smooth` keeps: it grows by 1 / weight with each contact of the source.
    """

    operator_id: int
    weight: int
    load: int
    max_load: int
    obstacle: str | None = None
    progress: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """Who was chosen, or why nobody was: exactly one of `chosen` and `reason` is None.

    `preferred` is the operator whom the lead knows already, if the source is sticky. `draw` is None where chance had
    no part in it.
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


Widths = dict[int, int]  # operator id to width


def choose(
    candidates: Sequence[Candidate],
    draw: float | None,
    *,
    strategy: str = "weighted_random",
    preferred: int | None = None,
) -> Decision:
    """Chooses one of the eligible candidates. `draw` is in [0, 1); strategies without chance do without."""
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
    """Operator id to its probability of being chosen; all of them together make 1, or 0 when nobody is eligible."""
    line = widths(candidates, strategy=strategy, preferred=preferred)
    total = sum(line.values())
    return {
        candidate.operator_id: line.get(candidate.operator_id, 0) / total if total else 0.0 for candidate in candidates
    }


def widths(candidates: Sequence[Candidate], *, strategy: str, preferred: int | None) -> Widths:
    """The line that the draw points at: only those who can be chosen stand on it."""
    able = [candidate for candidate in candidates if candidate.obstacle is None]
    if preferred is not None and any(candidate.operator_id == preferred for candidate in able):
        return {preferred: 1}
    return STRATEGIES[strategy](able) if able else {}


def weighted_random(able: Sequence[Candidate]) -> Widths:
    """Each with probability weight / sum of weights."""
    return {candidate.operator_id: candidate.weight for candidate in able}


def least_loaded(able: Sequence[Candidate]) -> Widths:
    """The lowest load relative to the limit; among equals the highest weight; among equals again, chance."""
    rank = {candidate.operator_id: (candidate.load / candidate.max_load, -candidate.weight) for candidate in able}
    best = min(rank.values())
    return {operator_id: 1 for operator_id in rank if rank[operator_id] == best}


def smooth(able: Sequence[Candidate]) -> Widths:
    """One after another, so that nobody is ever a whole contact away from its exact share while the roster stands.

    Of those who are owed enough, the one whose next contact is due first: Tijdeman, "The chairman assignment problem",
    Discrete Mathematics 32 (1980), whose bound is 1 - 1 / (2n - 2) for n candidates.
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
    """Operator id to how many contacts it is behind its exact share, the next contact included. The sum is 1."""
    levels = level_progress(able)
    total = sum(candidate.weight for candidate in able)
    time = sum(candidate.weight * levels[candidate.operator_id] for candidate in able) / total
    return {
        candidate.operator_id: candidate.weight * (time - levels[candidate.operator_id] + 1 / total)
        for candidate in able
    }


def level_progress(able: Sequence[Candidate]) -> dict[int, float]:
    """Everybody's progress, with those who were away or are new brought up to the others.

    An operator who was there all the time is at most BEHIND contacts late. One who comes back is owed no more than
    that either, and is not flooded.
    """
    reach = {candidate.operator_id: BEHIND / candidate.weight for candidate in able}
    latest = max(candidate.progress - reach[candidate.operator_id] for candidate in able)
    near = {candidate.operator_id: max(candidate.progress, latest - reach[candidate.operator_id]) for candidate in able}
    total = sum(candidate.weight for candidate in able)
    time = sum(candidate.weight * near[candidate.operator_id] for candidate in able) / total
    return {operator_id: max(progress, time - reach[operator_id]) for operator_id, progress in near.items()}


def progress_after(candidates: Sequence[Candidate], chosen: int) -> float | None:
    """The chosen one's progress once the contact is its own.

    None when it may not have it any more: others were faster and have given it more than it was owed. One contact
    ahead is let pass, so that parallel requests rarely disturb each other.
    """
    able = [candidate for candidate in candidates if candidate.obstacle is None]
    weight = next((candidate.weight for candidate in able if candidate.operator_id == chosen), None)
    if weight is None or contacts_owed(able)[chosen] < -AHEAD:
        return None
    return level_progress(able)[chosen] + 1 / weight


def why_nobody(candidates: Sequence[Candidate]) -> str:
    """The reason for waiting when none of these candidates is eligible."""
    obstacles = {candidate.obstacle for candidate in candidates}
    if not obstacles:
        return NO_OPERATORS
    if len(obstacles) == 1:
        return REASON_FOR_ALL.get(obstacles.pop() or "", NONE_AVAILABLE)
    return NONE_AVAILABLE


STRATEGIES: dict[str, Callable[[Sequence[Candidate]], Widths]] = {
    "weighted_random": weighted_random,
    "smooth": smooth,
    "least_loaded": least_loaded,
}
