"""Who is on the roster of a source: read at once with the source itself, and without locking anything."""

from collections.abc import Collection, Sequence

from django.db import DEFAULT_DB_ALIAS

from core.db import compiled
from core.db.compiled import Later
from operators.models import obstacle
from routing.models import RosterEntry, Source
from routing.selection import Candidate

EXCLUDED = "excluded"  # as an obstacle: not to be offered this contact

Member = tuple[int, int, float, bool, int, int, str, str, bool]
Roster = list[Member]

OF_SOURCE = ("phone_region", "strategy", "is_sticky")  # in the order of the model, as `from_db` wants them
MEMBERS: compiled.Select[Member] = compiled.Select(
    lambda source: (
        RosterEntry.objects.current()
        .filter(source=source)
        .order_by("operator_id")
        .values_list(
            "operator_id",
            "weight",
            "progress",
            "operator__is_active",
            "operator__current_load",
            "operator__max_load",
            *(f"source__{field}" for field in OF_SOURCE),
        )
    )
)


def ask(source_id: int) -> Later[Roster]:
    """The roster of an open source, in operator id order. It goes to the database with the caller's next statement."""
    return MEMBERS.later(source_id)


def source_of(source_id: int, roster: Roster) -> Source | None:
    """The source as it was read with its roster, no more of it than OF_SOURCE. None if the roster is empty."""
    for *_, region, strategy, is_sticky in roster:
        return Source.from_db(DEFAULT_DB_ALIAS, ("id", *OF_SOURCE), (source_id, region, strategy, is_sticky))
    return None


def roster_candidates(roster: Sequence[Member], *, excluded: Collection[int | None] = ()) -> list[Candidate]:
    return [
        Candidate(
            operator_id,
            weight,
            load,
            limit,
            EXCLUDED if operator_id in excluded else obstacle(is_on_duty=is_active, load=load, limit=limit),
            progress,
        )
        for operator_id, weight, progress, is_active, load, limit, *_ in roster
    ]
