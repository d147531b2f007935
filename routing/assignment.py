"""Assigns an operator: draws first, locks the drawn operator, checks again, takes a place.

The roster is read without locks and only the drawn operator's row is locked, so that sources with common operators do
not wait for each other. No transaction waits for an operator's lock while it holds another's, except in key order.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db.models import Exists

from core import events
from core.db import compiled
from core.db.compiled import Update
from core.db.writes import Change
from core.retry import LostRace, NothingWritten
from operators.load import lock_operators, place_taken, set_load, taking
from operators.models import Operator
from routing import waiting
from routing.models import Contact, RosterEntry, Source, Strategy
from routing.rosters import EXCLUDED, Roster, candidate_of, read_roster
from routing.selection import SOURCE_CLOSED, Candidate, Decision, choose, progress_after

PATIENCE = 3  # lost races, after which the whole roster is locked so that none of its operators can become unavailable


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """Event: a choice was made and its operator locked. The seconds include waiting for the lock."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """The operator for a contact. `decision` is None when older contacts wait for the drawn operator, who is `awaited`.

    `place` takes the operator's place and must be stored before the contact. None if no operator was chosen.
    """

    decision: Decision | None
    place: Change | None = None
    awaited: int | None = None

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
) -> Assignment:
    """Chooses an operator for one contact and locks it, inside the caller's transaction.

    1. After PATIENCE lost races the whole roster is locked, in key order, and read again.
    2. The choice is made from the roster as it was read; `draw` is a number in [0, 1).
    3. The chosen operator is locked, together with the operators in `held`.
    4. At the first attempt the statement that stores the contact takes the place, on condition that the locked operator
       is still free and on the roster, and that no older contact waits for it (`older_than`: the contact's id).
       Later attempts check first. So do the strategy `smooth`, where the turn is known only under the lock, and
       QUEUE_BURST, with which many contacts may wait for a free operator.

    `attempt` counts the caller's repetitions from 0, `excluded` are operators who must not be offered the contact,
    `preferred` is the lead's last operator. Raises LostRace when the chosen operator has become unavailable.
    """
    started = time.perf_counter()
    all_locked: Collection[int] | None = None
    if attempt >= PATIENCE:
        all_locked = lock_operators({*(operator_id for operator_id, *_ in roster.members), *held})
        roster = read_roster(roster.source_id)
    decision = decide(roster, draw=draw, excluded=excluded, preferred=preferred)
    if decision.chosen is None:
        return Assignment(decision)
    if all_locked is not None and decision.chosen not in all_locked:
        raise NothingWritten  # put on the roster meanwhile: it may not be locked out of key order
    locked = lock_operators({decision.chosen, *held})
    events.publish(DecisionMade(seconds=time.perf_counter() - started))
    is_smooth = roster.strategy == Strategy.SMOOTH
    if attempt == 0 and not is_smooth and not settings.QUEUE_BURST:
        return Assignment(decision, place_in_turn(decision.chosen, roster.source_id, older_than))
    operator = locked.get(decision.chosen)
    if operator is None or operator.obstacle or not IS_ON_ROSTER(roster.source_id, operator.pk):
        raise LostRace
    if waiting.somebody_waits_for(operator.pk, older_than=older_than):
        return Assignment(None, awaited=operator.pk)
    if is_smooth and not decision.is_sticky:
        move_progress(roster.source_id, decision)
    return Assignment(decision, place_taken(operator.pk))


def assign_again(
    contact: Contact,
    *,
    draw: float,
    attempt: int,
    excluded: Collection[int | None] = (),
    held: Collection[int | None] = (),
) -> Assignment:
    """Calls `assign` for a stored contact, excluding operators who gave it back and preferring the lead's last one."""
    roster = read_roster(contact.source_id)
    return assign(
        roster=roster,
        draw=draw,
        attempt=attempt,
        older_than=contact.pk,
        excluded={*excluded, *waiting.excluded_operator_ids(contact.pk)},
        preferred=(waiting.last_operator(lead_id=contact.lead_id, before=contact.pk) if roster.is_sticky else None),
        held=held,
    )


def decide(
    roster: Roster, *, draw: float, excluded: Collection[int | None] = (), preferred: int | None = None
) -> Decision:
    """The choice from the roster as it was read. Locks and takes nothing."""
    if roster.is_closed:
        return closed_decision(roster.strategy)
    return choose(roster.candidates(excluded), draw, strategy=roster.strategy, preferred=preferred)


def closed_decision(strategy: str) -> Decision:
    return replace(choose([], None, strategy=strategy), reason=SOURCE_CLOSED)


def on_roster(source_id: Any, operator_id: Any) -> Any:
    return RosterEntry.objects.current().filter(source=source_id, operator=operator_id)


IS_ON_ROSTER = compiled.Exists(on_roster)


def take_if_free(operator_id: Any, source_id: Any, older: Any) -> Any:
    """The conditional update of step 4 of `assign`."""
    return taking(
        Operator.objects.free().filter(Exists(on_roster(source_id, operator_id)), ~Exists(older), pk=operator_id)
    )


TAKE_BEFORE_ALL = Update(lambda operator, source: take_if_free(operator, source, waiting.waiting_for(operator)))
TAKE_BEFORE_YOUNGER = Update(
    lambda operator, source, pk: take_if_free(operator, source, waiting.waiting_for(operator).filter(pk__lt=pk))
)


def place_in_turn(operator_id: int, source_id: int, older_than: int | None) -> Change:
    if older_than is None:
        return Change(TAKE_BEFORE_ALL, (operator_id, source_id), comes_first=True)
    return Change(TAKE_BEFORE_YOUNGER, (operator_id, source_id, older_than), comes_first=True)


def move_progress(source_id: int, decision: Decision) -> None:
    """Updates the chosen operator's `progress`, under its lock. Raises LostRace if it is no longer its turn."""
    roster, chosen = read_roster(source_id), decision.chosen
    excluded = [member.operator_id for member in decision.candidates if member.obstacle == EXCLUDED]
    progress = progress_after(roster.candidates(excluded), chosen) if chosen else None
    if progress is None:
        raise LostRace
    RosterEntry.objects.filter(source=source_id, operator=chosen).update(progress=progress)


class LockedRosters:
    """The rosters of some sources with all their operators locked, for many decisions one after another.

    Until the end of the caller's transaction no other one changes these loads, so each decision counts the places taken
    before it without a query; `save` writes the loads. Operators are locked in key order.
    """

    def __init__(self, source_ids: Collection[int], *, held: Collection[int] = ()) -> None:
        entries = RosterEntry.objects.current().filter(source__in=source_ids).order_by("source", "operator")
        self.operators = lock_operators({*entries.values_list("operator_id", flat=True), *held})
        self.rosters: dict[int, dict[int, RosterEntry]] = {source_id: {} for source_id in source_ids}
        # Read again: an operator put on a roster while we waited for the locks is locked as well, or left out.
        for entry in entries:
            if entry.operator_id in self.operators:
                self.rosters[entry.source_id][entry.operator_id] = entry
        self.current: dict[int, dict[int, Candidate]] = {}  # by source and operator, of the sources decided so far
        self.changed: set[int] = set()
        self.moved: dict[int, RosterEntry] = {}

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
        """The choice for one contact of this source. Takes no place."""
        if source.archived_at:
            return closed_decision(source.strategy)
        return choose(self.candidates(source.pk, excluded), draw, strategy=source.strategy, preferred=preferred)

    def take_place(self, *, source_id: int, decision: Decision) -> None:
        """Takes a place of the chosen operator, if one was chosen."""
        if decision.chosen is None:
            return
        if decision.strategy == Strategy.SMOOTH and not decision.is_sticky:
            entry = self.rosters[source_id][decision.chosen]
            entry.progress = progress_after(decision.candidates, decision.chosen) or entry.progress
            self.moved[entry.pk] = entry
        self.move(decision.chosen, 1)

    def give_back(self, operator_id: int) -> None:
        self.move(operator_id, -1)

    def move(self, operator_id: int, number: int) -> None:
        operator = self.operators[operator_id]
        operator.current_load = max(operator.current_load + number, 0)
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
        for operator_id in sorted(self.changed):
            set_load(operator_id, self.operators[operator_id].current_load)
        RosterEntry.objects.bulk_update(self.moved.values(), ["progress"])
