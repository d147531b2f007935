"""Draw first, lock one, check again: how a choice becomes a place that is really taken.

The roster is read without locks and only the drawn operator's row is locked, so that sources with common operators
do not wait for each other. Nobody holds one operator's lock while waiting for another's, except in key order.
"""

from collections.abc import Collection
from dataclasses import replace

from operators import places
from routing.models import RosterEntry, Source
from routing.races import LostRace
from routing.selection import NO_OPERATORS, SOURCE_CLOSED, Candidate, Decision, choose

PATIENCE = 3  # lost races, after which the whole roster is locked and the next draw cannot fail


def assign(*, source_id: int, draw: float, attempt: int, excluded: Collection[int] = ()) -> Decision:
    """Chooses an operator for one contact of this source and takes a place, inside the caller's transaction.

    `draw` is a number in [0, 1), `attempt` counts the caller's repetitions from 0, `excluded` are operator ids that
    must not be offered it. Raises LostRace when the chosen one has just become unavailable: the caller starts again.
    """
    if attempt >= PATIENCE:
        places.lock(RosterEntry.objects.current().filter(source_id=source_id).values_list("operator_id", flat=True))
    decision = decide(source_id=source_id, draw=draw, excluded=excluded)
    if decision.chosen is not None:
        operator = places.lock([decision.chosen]).get(decision.chosen)
        if operator is None or operator.obstacle:
            raise LostRace
        places.take(decision.chosen)
    return decision


def why_nobody_now(*, source_id: int) -> str | None:
    """Why a contact of this source would have to wait now; None when somebody would get it."""
    return decide(source_id=source_id, draw=0.0, excluded=()).reason


def decide(*, source_id: int, draw: float, excluded: Collection[int]) -> Decision:
    """The choice as things stand, without locking or taking anything."""
    decision = choose(read_roster(source_id=source_id, excluded=excluded), draw)
    if decision.reason == NO_OPERATORS and not Source.objects.current().filter(pk=source_id).exists():
        return replace(decision, reason=SOURCE_CLOSED)
    return decision


def read_roster(*, source_id: int, excluded: Collection[int]) -> list[Candidate]:
    """The roster of a source as candidates, in operator id order, without locking anything."""
    entries = RosterEntry.objects.current().filter(source_id=source_id).select_related("operator")
    return [
        Candidate(
            operator_id=entry.operator_id,
            weight=entry.weight,
            load=entry.operator.current_load,
            max_load=entry.operator.max_load,
            obstacle="excluded" if entry.operator_id in excluded else entry.operator.obstacle,
        )
        for entry in entries.order_by("operator_id")
    ]
