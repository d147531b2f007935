"""Assigns an operator: draws first, locks the drawn operator, checks again, takes a place.

The roster is read without locks and only the drawn operator's row is locked, so that sources with common operators do
not wait for each other. No transaction waits for an operator's lock while it holds another's, except in key order.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from django.db.models import Exists
from django.utils import timezone

from core import events
from core.db import compiled
from core.db.compiled import Update
from core.db.writes import Change
from core.ids import LARGEST
from core.retry import LostRace, NothingWritten
from operators import caps
from operators.load import Counting, add_place, counted, lock_operators, save_loads, take_place, taking
from operators.models import Operator
from routing import waiting
from routing.models import Contact, RosterEntry, Source, Strategy
from routing.rosters import EXCLUDED, Roster, candidate_of, read_roster, with_pace
from routing.selection import CLOSED_HOURS, SOURCE_CLOSED, Candidate, Decision, FirstDraw, choose, progress_after
from routing.turns import level_of_others

PATIENCE = 3  # lost races, after which the whole roster is locked so that none of its operators can become unavailable


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """Event: a choice was made and its operator locked. The seconds include waiting for the lock."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """The operator for a contact.

    When older contacts wait for the drawn operator, who is `awaited`, `decision` is None; or, if nobody is ready for
    what waits, that of a contact which waits as well.

    `place` takes the operator's place and must be stored before the contact. None if no operator was chosen.
    `operator` is the chosen one as it was locked, for the answer. `accept_within`: the source's, in seconds.
    """

    decision: Decision | None
    place: Change | None = None
    awaited: int | None = None
    operator: Operator | None = None
    accept_within: int | None = None

    @property
    def operator_id(self) -> int | None:
        return self.decision.chosen if self.decision else None

    def parts(self) -> list[Change]:
        return [self.place] if self.place else []


def assign(
    *,
    roster: Roster,
    draw: float,
    attempt: int,
    older_than: int | None = None,
    excluded: Collection[int | None] = (),
    preferred: int | None = None,
    held: Collection[int | None] = (),
    first: FirstDraw | None = None,
) -> Assignment:
    """Chooses an operator for one contact and locks it, inside the caller's transaction.

    1. After PATIENCE lost races the whole roster is locked, in key order, and read again.
    2. The choice is made from the roster as it was read; `draw` is a number in [0, 1).
    3. The chosen operator is locked, together with the operators in `held`.
    4. At the first attempt the statement that stores the contact takes the place, on condition that the locked operator
       is still free and on the roster, and that no older contact waits for it (`older_than`: the contact's id).
       Later attempts check first. So do the strategy `smooth`, where the turn is known only under the lock, and
       attempts that draw a paced operator, for whom older contacts may well wait.

    Opening hours are not looked at again: what was decided just before its source closes has come in time.

    `attempt` counts the caller's repetitions from 0, `excluded` are operators who must not be offered the contact,
    `preferred` is the lead's last operator, `first` remembers the first draw over all attempts. Raises LostRace when
    the chosen operator has become unavailable.
    """
    started = time.perf_counter()
    all_locked: Collection[int] | None = None
    if attempt >= PATIENCE:
        all_locked = lock_operators({*(operator_id for operator_id, *_ in roster.members), *held})
        roster = roster.read_again()
    decision = decide(roster, draw=draw, excluded=excluded, preferred=preferred)
    if first:
        first.remember(decision)
    if decision.chosen is None:
        return Assignment(decision)
    if all_locked is not None and decision.chosen not in all_locked:
        raise NothingWritten  # put on the roster meanwhile: it may not be locked out of key order
    locked = lock_operators({decision.chosen, *held})
    events.publish(DecisionMade(seconds=time.perf_counter() - started))
    operator = locked.get(decision.chosen)
    is_smooth = roster.strategy == Strategy.SMOOTH
    if operator is None:
        raise LostRace
    counting = counted(operator, is_queued=roster.is_for_queue)
    if attempt == 0 and not is_smooth and not operator.paced_until:
        conditions = operator.pk, roster.source_id, older_than or LARGEST
        update = take_in_turn(counting.one_more, counting.names)
        place = Change(update, (*conditions, *counting.values), comes_first=True)
        return Assignment(decision, place, operator=operator, accept_within=roster.accept_within)
    if roster.obstacle_of(operator) or not IS_ON_ROSTER(roster.source_id, operator.pk):
        raise LostRace
    if waiting.somebody_waits_for(operator.pk, older_than=older_than):
        queued = decide(roster.for_queue(), draw=draw, excluded=excluded)
        return Assignment(None if queued.chosen else queued, awaited=operator.pk)
    if is_smooth and not decision.is_sticky:
        move_progress(roster, decision, fills=is_last_for_now(operator))
    return Assignment(decision, take_place(operator, counting), operator=operator, accept_within=roster.accept_within)


def assign_again(
    contact: Contact,
    *,
    draw: float,
    attempt: int,
    excluded: Collection[int | None] = (),
    offer_again: bool = False,
    held: Collection[int | None] = (),
    first: FirstDraw | None = None,
) -> Assignment:
    """Calls `assign` for a stored contact, excluding operators who gave it back and preferring the lead's last one.

    `offer_again`: by hand also to those who are passed over until they become free. Opening hours do not hold it back
    if somebody has it.
    """
    roster = replace(read_roster(contact.source_id), keeps_hours=contact.operator_id is None)
    if contact.status == Contact.Status.WAITING:
        roster = roster.for_queue()
    return assign(
        roster=roster,
        draw=draw,
        attempt=attempt,
        older_than=contact.pk,
        excluded={*excluded, *waiting.excluded_operator_ids(contact.pk, offer_again=offer_again)},
        preferred=(waiting.last_operator(lead_id=contact.lead_id, before=contact.pk) if roster.is_sticky else None),
        held=held,
        first=first,
    )


def decide(
    roster: Roster, *, draw: float, excluded: Collection[int | None] = (), preferred: int | None = None
) -> Decision:
    """The choice from the roster as it was read. Locks and takes nothing."""
    if roster.is_closed or roster.is_held_back:
        return closed_decision(roster.strategy, SOURCE_CLOSED if roster.is_closed else CLOSED_HOURS)
    return choose(roster.candidates(excluded), draw, strategy=roster.strategy, preferred=preferred)


def closed_decision(strategy: str, reason: str) -> Decision:
    return replace(choose([], None, strategy=strategy), reason=reason)


IS_ON_ROSTER = compiled.Exists(
    lambda source_id, operator_id: RosterEntry.objects.current().filter(source=source_id, operator=operator_id)
)


@cache
def take_in_turn(one_more: tuple[str, ...], names: tuple[str, ...]) -> Update:
    """The conditional update of step 4 of `assign`, which also sets what is counted to the values that follow."""

    def build(operator_id: Any, source_id: Any, older_than: Any, *values: Any) -> Any:
        none_older_waits = waiting.none_waits(operator_id, older_than)
        # Of an open source; that the operator is not archived, `free()` says without another join.
        entries = RosterEntry.objects.filter(operator=operator_id, source=source_id, source__archived_at__isnull=True)
        free = Operator.objects.free().filter(Exists(entries), none_older_waits, pk=operator_id)
        return taking(free, Counting(one_more, names, values))

    return Update(build, parameters=3 + len(names))


def is_last_for_now(operator: Operator) -> bool:
    """Whether the operator, who gets one more contact, can have no other after that."""
    return operator.current_load + 1 >= operator.max_load or caps.reaches_cap(operator, timezone.now())


def move_progress(roster: Roster, decision: Decision, *, fills: bool) -> None:
    """Updates the chosen operator's `progress`, under its lock. Raises LostRace if it is no longer its turn.

    An operator whom this contact `fills` notes the others' level, to come back at the same distance from them.
    """
    roster, chosen = roster.read_again(), decision.chosen
    excluded = [member.operator_id for member in decision.candidates if member.obstacle == EXCLUDED]
    candidates = roster.candidates(excluded)
    progress = progress_after(candidates, chosen) if chosen else None
    if progress is None or chosen is None:
        raise LostRace
    left_level = level_of_others(candidates, chosen) if fills else None
    entry = RosterEntry.objects.filter(source=roster.source_id, operator=chosen)
    entry.update(progress=progress, left_level=left_level)


MOVE_ENTRY = Update(
    lambda pk, progress, left_level: (
        RosterEntry.objects.filter(pk=pk),
        {"progress": progress, "left_level": left_level},
    )
)


class LockedRosters:
    """The rosters of some sources with all their operators locked, for many decisions one after another.

    Until the end of the caller's transaction no other one changes these loads, so each decision counts the places taken
    before it without a query; `save` writes the loads. Operators are locked in key order.
    """

    def __init__(self, source_ids: Collection[int], *, held: Collection[int] = ()) -> None:
        entries = RosterEntry.objects.current().filter(source__in=source_ids).order_by("source", "operator")
        self.operators = self.lock({*entries.values_list("operator_id", flat=True), *held})
        self.rosters: dict[int, dict[int, RosterEntry]] = {source_id: {} for source_id in source_ids}
        # Read again: an operator put on a roster while we waited for the locks is locked as well, or left out.
        for entry in entries:
            if entry.operator_id in self.operators:
                self.rosters[entry.source_id][entry.operator_id] = entry
        self.current: dict[int, dict[int, Candidate]] = {}  # by source and operator, of the sources decided so far
        self.changed: set[int] = set()
        self.moved: dict[int, RosterEntry] = {}

    def lock(self, operator_ids: Collection[int]) -> dict[int, Operator]:
        return lock_operators(operator_ids)

    def leave(self, operator_id: int) -> None:
        """Takes an operator who has just been archived off all rosters, before anything is decided."""
        for roster in self.rosters.values():
            roster.pop(operator_id, None)

    def members(self, source_id: int) -> Collection[int]:
        return self.rosters[source_id]

    def decide(
        self,
        *,
        source: Source,
        draw: float,
        preferred: int | None = None,
        excluded: Collection[int | None] = (),
    ) -> Decision:
        """The choice for one contact of this source, also outside its opening hours. Takes no place."""
        if source.archived_at:
            return closed_decision(source.strategy, SOURCE_CLOSED)
        return choose(self.candidates(source.pk, excluded), draw, strategy=source.strategy, preferred=preferred)

    def why_all_wait(self, *, source: Source, draw: float) -> Decision | None:
        """The decision for a new contact of this source that has to wait behind older ones: None unless all operators
        are capped or paced, or cannot be chosen either."""
        paced = {pk for pk in self.rosters[source.pk] if self.operators[pk].paced_until}
        decision = choose(with_pace(self.candidates(source.pk), paced), draw, strategy=source.strategy)
        return decision if decision.chosen is None else None

    def take_place(self, *, source_id: int, decision: Decision) -> None:
        """Takes a place of the chosen operator, if one was chosen."""
        if decision.chosen is None:
            return
        if decision.strategy == Strategy.SMOOTH and not decision.is_sticky:
            entry = self.rosters[source_id][decision.chosen]
            operator = self.operators[decision.chosen]
            fills = is_last_for_now(operator)
            entry.progress = progress_after(decision.candidates, decision.chosen) or entry.progress
            entry.left_level = level_of_others(decision.candidates, decision.chosen) if fills else None
            self.moved[entry.pk] = entry
        add_place(self.operators[decision.chosen])
        self.has_moved(decision.chosen)

    def give_back(self, operator_id: int) -> None:
        operator = self.operators[operator_id]
        operator.current_load = max(operator.current_load - 1, 0)
        self.has_moved(operator_id)

    def has_moved(self, operator_id: int) -> None:
        operator = self.operators[operator_id]
        self.changed.add(operator_id)
        for source_id, current in self.current.items():
            if operator_id in current:
                current[operator_id] = candidate_of(self.rosters[source_id][operator_id], operator)

    def candidates(self, source_id: int, excluded: Collection[int | None] = ()) -> list[Candidate]:
        if source_id not in self.current:
            roster = self.rosters[source_id]
            self.current[source_id] = {pk: candidate_of(entry, self.operators[pk]) for pk, entry in roster.items()}
        current = self.current[source_id].values()
        if not excluded:
            return list(current)
        return [
            candidate._replace(obstacle=EXCLUDED) if candidate.operator_id in excluded else candidate
            for candidate in current
        ]

    def save(self) -> None:
        save_loads([self.operators[operator_id] for operator_id in self.changed])
        MOVE_ENTRY.run_many([(entry.pk, entry.progress, entry.left_level) for entry in self.moved.values()])
