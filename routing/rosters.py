"""Reads the roster of a source together with the source, without locks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from core.db.compiled import Select
from core.errors import Unknown
from operators.models import Operator, obstacle
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
            "archived_at",
            f"{OPERATOR}_id",
            "roster__weight",
            "roster__progress",
            f"{OPERATOR}__is_active",
            f"{OPERATOR}__archived_at",
            f"{OPERATOR}__current_load",
            f"{OPERATOR}__max_load",
        )
    )
)


@dataclass(frozen=True, slots=True)
class Roster:
    """The fields of a source that a decision needs, and the operators on its roster, in the order of their ids."""

    source_id: int
    strategy: str
    is_sticky: bool
    is_closed: bool
    members: Sequence[tuple[Any, ...]]  # the columns above, from the operator's id on; without archived operators

    def candidates(self, excluded: Collection[int | None] = ()) -> list[Candidate]:
        """The candidates for `selection`. `excluded` are operators who must not be offered this contact."""
        return [
            Candidate(
                operator_id,
                weight,
                load,
                limit,
                EXCLUDED if operator_id in excluded else obstacle(is_on_duty=is_active, load=load, limit=limit),
                progress,
            )
            for operator_id, weight, progress, is_active, _, load, limit in self.members
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
    source_id, strategy, is_sticky, archived_at, *_ = rows[0]
    members = [tuple(row[4:]) for row in rows if row[4] is not None and row[8] is None]
    return Roster(source_id, strategy, is_sticky, archived_at is not None, members)
