"""Draw first, lock one, check again: how a choice becomes a place that is really taken.

The roster is read without locks and only the drawn operator's row is locked, so that sources with common operators
do not wait for each other. Nobody holds one operator's lock while waiting for another's, except in key order.
"""

import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from core import events
from core.db.compiled import Later
from core.retry import LostRace
from operators.load import lock_operators, lock_operators_later, take_places
from operators.models import Obstacle, Operator
from routing import rosters
from routing.models import RosterEntry, Source, Strategy
from routing.selection import NO_OPERATORS, SOURCE_CLOSED, Candidate, Decision, choose, progress_after

PATIENCE = 3  # lost races, after which the whole roster is locked and nobody of it can become unavailable


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """A choice was made and its operator locked, after so many seconds, waiting for the lock included; and the commit,
    where the one goes with the other."""

    seconds: float


@dataclass(slots=True)
class Drawn:
    """A choice, and the lock that has been asked for the chosen one. Whoever wants the place takes it with `take`."""

    source: Source
    decision: Decision
    obstacles: Later[dict[int, Obstacle | None]]  # of those who are locked
    started: float
    is_confirmed: bool = False

    @property
    def chosen(self) -> int | None:
        return self.decision.chosen

    def confirm(self) -> None:
        """Looks at the locked row. Raises LostRace when the chosen one has just become unavailable."""
        if self.is_confirmed:
            return
        obstacles = self.obstacles()
        if self.chosen is not None and obstacles.get(self.chosen, Obstacle.INACTIVE):
            raise LostRace
        self.is_confirmed = True
        events.publish(self.decided())

    def decided(self) -> DecisionMade:
        """For when it is."""
        return DecisionMade(seconds=time.perf_counter() - self.started)


def draw_and_lock(
    *,
    source: Source,
    draw: float,
    attempt: int,
    excluded: Collection[int | None] = (),
    preferred: int | None = None,
    held: Collection[int | None] = (),
    roster: rosters.Roster | None = None,
) -> Drawn:
    """Chooses an operator for one contact of this source and locks it, inside the caller's transaction.

    `draw` is a number in [0, 1), `attempt` counts the caller's repetitions from 0, `excluded` are operator ids that
    must not be offered the contact, `preferred` is the one whom the lead knows, `held` are further operators that the
    caller needs locked, `roster` is what `rosters.ask` gave in this transaction. The next statement sees the lock.
    """
    started = time.perf_counter()
    if attempt >= PATIENCE:
        members = RosterEntry.objects.current().filter(source=source).values_list("operator_id", flat=True)
        lock_operators({*members, *held})
        roster = None
    decision = decide_now(source=source, draw=draw, excluded=excluded, preferred=preferred, roster=roster)
    wanted: Collection[int | None] = () if decision.chosen is None else {decision.chosen, *held}
    return Drawn(source, decision, lock_operators_later(wanted), started)


def take_place(drawn: Drawn) -> Decision:
    """Takes the place, if there is a chosen one. Raises LostRace when that one has just become unavailable, or when it
    is another's turn: the caller starts again.
    """
    drawn.confirm()
    source, decision = drawn.source, drawn.decision
    if decision.chosen is None:
        return decision
    if source.strategy == Strategy.SMOOTH and not decision.is_sticky:
        excluded = [member.operator_id for member in decision.candidates if member.obstacle == rosters.EXCLUDED]
        progress = progress_after(
            rosters.roster_candidates(rosters.ask(source.pk)(), excluded=excluded), decision.chosen
        )
        if progress is None:
            raise LostRace
        RosterEntry.objects.filter(source=source, operator=decision.chosen).update(progress=progress)
    take_places(decision.chosen)
    return decision


def decide_now(
    *,
    source: Source,
    draw: float,
    excluded: Collection[int | None] = (),
    preferred: int | None = None,
    roster: rosters.Roster | None = None,
) -> Decision:
    """The choice as things stand, without locking or taking anything."""
    members = rosters.ask(source.pk)() if roster is None else roster
    return choose_from(rosters.roster_candidates(members, excluded=excluded), source, draw, preferred)


def choose_from(roster: Sequence[Candidate], source: Source, draw: float, preferred: int | None) -> Decision:
    decision = choose(roster, draw, strategy=source.strategy, preferred=preferred)
    if decision.reason == NO_OPERATORS and not Source.objects.current().filter(pk=source.pk).exists():
        return replace(decision, reason=SOURCE_CLOSED)
    return decision


def candidate(entry: RosterEntry, operator: Operator) -> Candidate:
    return Candidate(
        operator_id=operator.pk,
        weight=entry.weight,
        load=operator.current_load,
        max_load=operator.max_load,
        obstacle=operator.obstacle,
        progress=entry.progress,
    )


class LockedRosters:
    """The rosters of some sources with all their operators locked, for many decisions one after another.

    For the time of the caller's transaction nobody else changes these loads, so each decision sees what the ones before
    it took without asking the database; `save` writes it all down. Operators are locked in key order.
    """

    def __init__(self, source_ids: Collection[int]) -> None:
        entries = RosterEntry.objects.current().filter(source__in=source_ids).order_by("source", "operator")
        members = set(entries.values_list("operator_id", flat=True))
        self.operators = lock_operators(members)
        self.rosters: dict[int, list[RosterEntry]] = {source_id: [] for source_id in source_ids}
        for (
            entry
        ) in entries:  # read anew: what was put on a roster while we waited for the locks is locked, or left out
            if entry.operator_id in self.operators:
                self.rosters[entry.source_id].append(entry)
        self.taken: Counter[int] = Counter()
        self.moved: dict[int, RosterEntry] = {}

    def members(self, source: Source) -> list[int]:
        return [entry.operator_id for entry in self.rosters[source.pk]]

    def decide(self, *, source: Source, draw: float, preferred: int | None = None) -> Decision:
        """The choice for one contact of this source. Nothing is taken."""
        return choose_from(self.candidates(source), source, draw, preferred)

    def take(self, *, source: Source, decision: Decision) -> None:
        """Takes the chosen one's place, as the module's `take` does."""
        if decision.chosen is None:
            return
        if source.strategy == Strategy.SMOOTH and not decision.is_sticky:
            entry = next(entry for entry in self.rosters[source.pk] if entry.operator_id == decision.chosen)
            entry.progress = progress_after(self.candidates(source), decision.chosen) or entry.progress
            self.moved[entry.pk] = entry
        self.operators[decision.chosen].current_load += 1
        self.taken[decision.chosen] += 1

    def candidates(self, source: Source) -> list[Candidate]:
        return [candidate(entry, self.operators[entry.operator_id]) for entry in self.rosters[source.pk]]

    def save(self) -> None:
        for operator_id, number in sorted(self.taken.items()):
            take_places(operator_id, number)
        RosterEntry.objects.bulk_update(self.moved.values(), ["progress"])
