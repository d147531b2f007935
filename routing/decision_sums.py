"""Adds up decisions: whom they drew, whom they would have drawn by weight alone, and what made the difference.

Pure, like `selection`. docs/fairness.md derives the sums. Every decision concerns the whole roster, but from one to the
next hardly anybody changes. So an operator's part of the decisions since its last change is added when it changes
again: weight * sum(1 / total weight), where one running sum serves the whole roster. A decision on a roster of a
thousand costs microseconds instead of milliseconds.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from routing.candidate_codec import MEMBER, OBSTACLES
from routing.selection import AHEAD, BEHIND

# An operator is out of the choice from its stage on; without an obstacle it passes all.
STAGES = {"inactive": 0, "full": 1, "capped": 1, "paced": 1, "excluded": 2, None: 3}
STAGE_OF = bytes(STAGES[OBSTACLES[code]] if code < len(OBSTACLES) else 2 for code in range(256))

# The running sums: of 1 / total weight of those at this stage, over all decisions
ALL, ON_DUTY, BELOW_LIMIT, ABLE = range(4)
# and over those of a kind; RANDOM_SQUARED of its square, SHIFT of the changes of a roster in turn.
RANDOM, RANDOM_SQUARED, STICKY, LOAD, TURN, SHIFT = range(4, 10)

STRETCH = BEHIND + 1 + AHEAD  # contacts by which `smooth` may move away from the weights while nobody comes or goes


@dataclass(slots=True)
class Sums:
    """One operator in one source, over some decisions. All are numbers of contacts.

    `assigned` by the rule, `drawn` by the first draws, of which `taken` went elsewhere because the place was taken
    meanwhile, `by_hand` given by a person, `choices` drawn where somebody else could have been, `broken` drawn against
    the rule. `expected` is the sum of the probabilities of the first draws, `variance` that of p (1 - p), `at_stake`
    that of p where there was a choice by chance. From the share by weight to `expected` lead `duty`, `limit`,
    `given_back`, `sticky` and `load`. `turn` is how far `smooth` is from the share by weight, and `leeway` how far it
    may be.
    """

    assigned: int = 0
    drawn: int = 0
    taken: int = 0
    by_hand: int = 0
    choices: int = 0
    broken: int = 0
    expected: float = 0.0
    variance: float = 0.0
    at_stake: float = 0.0
    duty: float = 0.0
    limit: float = 0.0
    given_back: float = 0.0
    sticky: float = 0.0
    load: float = 0.0
    turn: float = 0.0
    leeway: float = 0.0


class SourceSums:
    """The sums of one source by operator id. Decisions are added in the order in which they were taken."""

    def __init__(self) -> None:
        self.sums: dict[int, Sums] = defaultdict(Sums)
        self.running = [0.0] * 10
        self.ids: tuple[bytes, ...] = ()
        self.places: dict[int, int] = {}
        self.weights, self.stages = b"", b""
        self.since: list[list[float]] = []  # the running sums when this place of the roster last changed
        self.totals = [0, 0, 0, 0]  # weight of all who have reached each stage
        self.in_turn: Mapping[int, int] | None = None  # weights of those able at the last decision in turn

    def add(
        self, members: bytes, *, strategy: str, preferred: int | None, chosen: int, operator_id: int | None
    ) -> None:
        """One decision: its packed candidates, whom it drew, and who got the contact in the end, None if nobody."""
        self.read_roster(members)
        its = self.sums[chosen]
        its.drawn += 1
        its.taken += chosen != operator_id
        if operator_id is not None:
            self.sums[operator_id].assigned += 1
        place = self.places.get(chosen)
        if place is None or self.stages[place] != ABLE:
            its.broken += 1
            return
        for stage in (ALL, ON_DUTY, BELOW_LIMIT, ABLE):
            self.running[stage] += 1 / self.totals[stage]
        able = self.totals[ABLE]
        its.choices += chosen != preferred and able > self.weights[place]
        if chosen == preferred:
            self.running[STICKY] += 1 / able
            its.sticky += 1
            its.expected += 1
        elif strategy == "smooth":
            self.add_turn(its)
        elif strategy == "least_loaded":
            self.add_least_loaded(members, its, chosen)
        elif able > self.weights[place]:
            self.running[RANDOM] += 1 / able
            self.running[RANDOM_SQUARED] += 1 / able**2

    def add_turn(self, its: Sums) -> None:
        """With each change of those in turn, one who comes may be STRETCH off at the end, and the others are measured
        from another middle (docs/fairness.md)."""
        self.running[TURN] += 1 / self.totals[ABLE]
        its.turn += 1
        self.note_turns()

    def note_turns(self) -> None:
        """Compares those able now with those of the last decision in turn."""
        able = self.able()
        if able == self.in_turn:
            return
        before = self.in_turn or {}
        changed = {pk for pk in able.keys() | before.keys() if able.get(pk) != before.get(pk)}
        if self.in_turn is not None:
            self.running[SHIFT] += BEHIND * len(changed) / self.totals[ABLE]
        if len(able) > 1:
            for operator_id in changed & able.keys():
                self.sums[operator_id].leeway += STRETCH
        self.in_turn = able

    def begin_turns(self, members: bytes) -> None:
        """Those in turn at the decision before the first one that is added."""
        self.read_roster(members)
        self.in_turn = self.able()

    def able(self) -> dict[int, int]:
        return {pk: self.weights[place] for pk, place in self.places.items() if self.stages[place] == ABLE}

    def add_least_loaded(self, members: bytes, its: Sums, chosen: int) -> None:
        """Those of the lowest load are equally probable; all others have no chance."""
        self.running[LOAD] += 1 / self.totals[ABLE]
        low, high, limits = members[9 :: MEMBER.size], members[10 :: MEMBER.size], members[11 :: MEMBER.size]
        ranks = {
            pk: ((low[place] + 256 * high[place]) / limits[place], -self.weights[place])
            for pk, place in self.places.items()
            if self.stages[place] == ABLE
        }
        best = min(ranks.values())
        equal = [pk for pk, rank in ranks.items() if rank == best]
        its.broken += chosen not in equal
        chance = 1 / len(equal)
        for operator_id in equal:
            one = self.sums[operator_id]
            one.load += chance
            one.expected += chance
            if len(equal) > 1:
                one.at_stake += chance
                one.variance += chance * (1 - chance)

    def read_roster(self, members: bytes) -> None:
        """Compares the packed candidates with those before, column by column, and settles those who have changed."""
        ids = tuple(members[byte :: MEMBER.size] for byte in range(8))
        weights = members[8 :: MEMBER.size]
        stages = members[12 :: MEMBER.size].translate(STAGE_OF)
        if ids != self.ids:
            self.settle()
            self.ids, self.weights, self.stages = ids, weights, stages
            self.places = {
                int.from_bytes(bytes(pk), "little"): place for place, pk in enumerate(zip(*ids, strict=True))
            }
            self.since = [list(self.running)] * len(weights)
            self.totals = [sum(w for w, s in zip(weights, stages, strict=True) if s >= stage) for stage in range(4)]
            return
        if weights == self.weights and stages == self.stages:
            return
        for operator_id, place in self.places.items():
            weight, stage = weights[place], stages[place]
            if weight != self.weights[place] or stage != self.stages[place]:
                self.settle_place(operator_id, place)
                for reached in range(self.stages[place] + 1):
                    self.totals[reached] -= self.weights[place]
                for reached in range(stage + 1):
                    self.totals[reached] += weight
        self.weights, self.stages = weights, stages

    def settle(self) -> dict[int, Sums]:
        """Adds to each operator its part of the decisions since its last change; returns the sums by operator id."""
        for operator_id, place in self.places.items():
            self.settle_place(operator_id, place)
        return self.sums

    def settle_place(self, operator_id: int, place: int) -> None:
        its, weight, stage = self.sums[operator_id], self.weights[place], self.stages[place]
        share = [weight * (now - then) for now, then in zip(self.running, self.since[place], strict=True)]
        self.since[place] = list(self.running)
        on_duty = share[ON_DUTY] if stage >= ON_DUTY else 0.0
        below_limit = share[BELOW_LIMIT] if stage >= BELOW_LIMIT else 0.0
        able = share[ABLE] if stage >= ABLE else 0.0
        its.duty += on_duty - share[ALL]
        its.limit += below_limit - on_duty
        its.given_back += able - below_limit
        if stage < ABLE:
            return
        its.sticky -= share[STICKY]
        its.load -= share[LOAD]
        its.expected += able - share[STICKY] - share[LOAD]
        its.at_stake += share[RANDOM]
        its.variance += share[RANDOM] - weight * share[RANDOM_SQUARED]
        its.turn -= share[TURN]
        its.leeway += share[SHIFT]
