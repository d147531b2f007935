"""The roster of a source, read together with the source itself and without locking anything."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from core.db.compiled import Select, instances
from core.errors import Unknown
from operators.models import Operator, obstacle
from routing.models import RosterEntry, Source
from routing.selection import Candidate

EXCLUDED = "excluded"  # as an obstacle: not to be offered this contact

SOURCE_COLUMNS = ("id", "phone_region", "strategy", "is_sticky", "archived_at")  # in the order of the fields
OPERATOR = "roster__operator"
SOURCE_WITH_MEMBERS: Select[Any] = Select(
    lambda source_id: (
        Source.objects.filter(pk=source_id)
        .order_by("roster__operator_id")
        .values_list(
            *SOURCE_COLUMNS,
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

Member = tuple[int, int, float, bool, Any, int, int]  # the columns behind those of the source


@dataclass(frozen=True, slots=True)
class Roster:
    """A source, archived or not, and the operators on its roster who have not left, in the order of their ids."""

    source: Source
    members: Sequence[Member]

    def candidates(self, excluded: Collection[int | None] = ()) -> list[Candidate]:
        """As `selection` wants them. `excluded` are operators who must not be offered this contact."""
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


def candidate_of(entry: RosterEntry, operator: Operator, *, is_excluded: bool = False) -> Candidate:
    """The same of instances."""
    obstacle = EXCLUDED if is_excluded else operator.obstacle
    return Candidate(operator.pk, entry.weight, operator.current_load, operator.max_load, obstacle, entry.progress)


def read_roster(source_id: int) -> Roster:
    """Raises Unknown when there is no such source."""
    roster = roster_of(SOURCE_WITH_MEMBERS(source_id))
    if roster is None:
        raise Unknown("source", source_id)
    return roster


def roster_of(rows: Sequence[Sequence[Any]]) -> Roster | None:
    """The roster in the rows of SOURCE_WITH_MEMBERS; None when there is no such source."""
    if not rows:
        return None
    width = len(SOURCE_COLUMNS)
    [source] = instances(Source, SOURCE_COLUMNS, [rows[0][:width]])
    members: list[Any] = [row[width:] for row in rows]
    return Roster(source, [member for member in members if member[0] is not None and member[4] is None])
