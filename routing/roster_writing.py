"""Writes the entries of a roster, and records what has changed. The verbs are in `source_actions`."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from core.changes.recording import Author, record_change
from core.errors import Overtaken, Unknown
from operators.load import lock_operators
from routing.models import Exclusion, RosterEntry
from routing.turns import starting_progress


@dataclass(frozen=True, slots=True)
class RosterChange:
    """Weights to set by operator id, and operators to remove. `seen`: see `change_roster`."""

    weights: Mapping[int, int]
    leaving: Collection[int] = ()
    seen: Mapping[int, int | None] | None = None


def write_roster(source_id: int, change: RosterChange, author: Author) -> None:
    """Writes entries under the locks of their operators, in the caller's transaction, which holds the source's lock.

    So a decision that holds the operator's lock and has read the roster after it is committed before the change is
    answered, or sees the change.
    """
    weights, leaving = change.weights, change.leaving
    operators = lock_operators({*weights, *leaving})
    unknown = [pk for pk in weights if pk not in operators or operators[pk].archived_at]
    if unknown:
        raise Unknown("operator", min(unknown))
    before = stored_weights(source_id, {*weights, *leaving, *(change.seen or ())})
    if change.seen and any(before[pk] != weight for pk, weight in change.seen.items()):
        raise Overtaken
    RosterEntry.objects.filter(source_id=source_id, operator__in=list(leaving)).delete()
    if weights:
        write_weights(source_id, weights, changed={pk for pk, weight in weights.items() if before[pk] != weight})
    joining = [pk for pk in weights if before[pk] is None]
    Exclusion.objects.filter(contact__source=source_id, operator__in=joining, until_free=True).delete()
    record_roster(source_id, before, before | dict.fromkeys(leaving) | dict(weights), author)


def record_roster(
    source_id: int, before: Mapping[int, int | None], after: Mapping[int, int | None], author: Author
) -> None:
    """The record belongs to the operator too, if only one has joined, left or got another weight."""
    concerned = [pk for pk in after if before[pk] != after[pk]]
    operator_id = concerned[0] if len(concerned) == 1 else None
    record_change("roster.changed", author, before=before, after=after, source_id=source_id, operator_id=operator_id)


def write_weights(source_id: int, weights: Mapping[int, int], changed: Collection[int]) -> None:
    """Sets these weights. The `changed` ones, who are new or get another weight, start level with the others."""
    level = starting_progress(source_id, without=changed) if changed else 0.0
    for operator_ids, fields in (
        (set(weights).difference(changed), ["weight"]),
        (changed, ["weight", "progress", "left_level"]),
    ):
        RosterEntry.objects.bulk_create(
            [
                RosterEntry(source_id=source_id, operator_id=pk, weight=weights[pk], progress=level)
                for pk in sorted(operator_ids)
            ],
            update_conflicts=True,
            unique_fields=["source", "operator"],
            update_fields=[*fields, "changed_at"],
        )


def stored_weights(source_id: int, operator_ids: Iterable[int]) -> dict[int, int | None]:
    """Operator id to its weight on this roster, None if it is not on it."""
    entries = RosterEntry.objects.filter(source_id=source_id, operator__in=list(operator_ids))
    return dict.fromkeys(operator_ids) | dict(entries.values_list("operator", "weight"))
