"""Reads the roster of a source together with the source, without locks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from core.db.compiled import Select
from core.errors import Unknown
from operators.models import Obstacle, Operator, obstacle
from routing.models import RosterEntry, Source
from routing.selection import Candidate

EXCLUDED = "excluded"  # obstacle of an operator who must not be offered this contact

OPERATOR = "roster__operator"
SOURCE_WITH_MEMBERS: Select[Any] = Select(
    lambda source_id: (
        Source.objects.filter(pk=source_id)
        .order_by("roster__operator_id")
        .values_list(
            "pk",
            "strategy",
            "is_sticky",
            "may_rename",
            "archived_at",
            "opens_at",
            "accept_within",
            f"{OPERATOR}_id",
            "roster__weight",
            "roster__progress",
            f"{OPERATOR}__is_active",
            f"{OPERATOR}__archived_at",
            f"{OPERATOR}__current_load",
            f"{OPERATOR}__max_load",
            f"{OPERATOR}__capped_until",
            f"{OPERATOR}__paced_until",
        )
    )
)


@dataclass(frozen=True, slots=True)
class Roster:
    """The fields of a source that a decision needs, and the operators on its roster, in the order of their ids."""

    source_id: int
    strategy: str
    is_sticky: bool
    may_rename: bool
    is_closed: bool
    opens_at: datetime | None  # outside opening hours: when they begin
    accept_within: int | None  # seconds
    members: Sequence[tuple[Any, ...]]  # the columns above, from the operator's id on; without archived operators
    keeps_hours: bool = True  # false for a contact that somebody has: opening hours hold back intake and queue only
    is_for_queue: bool = False  # for a contact that waits: operators who are paced cannot get it

    @property
    def is_held_back(self) -> bool:
        return self.opens_at is not None and self.keeps_hours

    def for_queue(self) -> "Roster":
        """The same roster for a contact that comes out of the queue."""
        return replace(self, is_for_queue=True)

    def read_again(self) -> "Roster":
        """As it is now. Raises Unknown."""
        return replace(read_roster(self.source_id), keeps_hours=self.keeps_hours, is_for_queue=self.is_for_queue)

    def candidates(self, excluded: Collection[int | None] = ()) -> list[Candidate]:
        """The candidates for `selection`. `excluded` are operators who must not be offered this contact."""
        found = [
            Candidate(
                operator_id,
                weight,
                load,
                limit,
                EXCLUDED
                if operator_id in excluded
                else obstacle(is_on_duty=is_active, load=load, limit=limit, is_capped=capped_until is not None),
                progress,
            )
            for operator_id, weight, progress, is_active, _, load, limit, capped_until, _ in self.members
        ]
        if self.is_for_queue:
            paced = {member[0] for member in self.members if member[-1] is not None}
            return with_pace(found, paced) if paced else found
        return found

    def obstacle_of(self, operator: Operator) -> Obstacle | None:
        """Why this locked operator cannot get the contact; None if it can."""
        return operator.queue_obstacle if self.is_for_queue else operator.obstacle


def with_pace(candidates: Sequence[Candidate], paced: Collection[int]) -> list[Candidate]:
    """The candidates for a contact that waits: those who are `paced` cannot get it, but may have others in between."""
    return [
        candidate._replace(obstacle=Obstacle.PACED)
        if candidate.obstacle is None and candidate.operator_id in paced
        else candidate
        for candidate in candidates
    ]


def candidate_of(entry: RosterEntry, operator: Operator) -> Candidate:
    """The candidate for an entry and its operator, given as instances."""
    load, limit = operator.current_load, operator.max_load
    return Candidate(operator.pk, entry.weight, load, limit, operator.obstacle, entry.progress)


def read_roster(source_id: int) -> Roster:
    """The roster of this source. Raises Unknown if the source does not exist."""
    roster = roster_of(SOURCE_WITH_MEMBERS(source_id))
    if roster is None:
        raise Unknown("source", source_id)
    return roster


def roster_of(rows: Sequence[Sequence[Any]]) -> Roster | None:
    """The roster from the rows of SOURCE_WITH_MEMBERS; None if the source does not exist."""
    if not rows:
        return None
    source_id, strategy, is_sticky, may_rename, archived_at, opens_at, accept_within, *_ = rows[0]
    members = [tuple(row[7:]) for row in rows if row[7] is not None and row[11] is None]
    is_closed = archived_at is not None
    return Roster(source_id, strategy, is_sticky, may_rename, is_closed, opens_at, accept_within, members)
