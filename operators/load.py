"""The places of an operator: the only module that changes a load.

Every function runs inside the transaction that changes the contact, so that load and contacts agree at every commit.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Expression, ExpressionWrapper, F, IntegerField, QuerySet

from core.db import compiled
from core.db.compiled import Later
from operators.models import Obstacle, Operator, obstacle

Seen = tuple[int, bool, datetime | None, int, int]
LOCK_ONE: compiled.Select[Operator] = compiled.Select(lambda pk: locked_operators([pk]))
LOOK_AT_ONE: compiled.Select[Seen] = compiled.Select(lambda pk: locked_obstacle_columns([pk]))
TAKE = compiled.Update(lambda pk, number: place_taking_update(Operator.objects.filter(pk=pk), number))


def lock_operators(operator_ids: Iterable[int | None]) -> dict[int, Operator]:
    """Locks these operators until the transaction ends; returns them, fresh, by id. None and unknown ids are left out.

    In key order, so that two callers wait for each other one way round only; foreign keys to the row stay usable.
    """
    wanted = without_none(operator_ids)
    return {operator.pk: operator for operator in (LOCK_ONE(*wanted) if len(wanted) == 1 else locked_operators(wanted))}


def lock_operators_later(operator_ids: Iterable[int | None]) -> Later[dict[int, Obstacle | None]]:
    """Locks them likewise, as `Statement.later`: whatever is asked next sees them locked. Only tells what stands in the
    way of one more contact for each.
    """
    wanted = without_none(operator_ids)
    rows = LOOK_AT_ONE.later(*wanted) if len(wanted) == 1 else partial(list, locked_obstacle_columns(wanted))
    return lambda: {
        pk: obstacle(is_on_duty=is_active and not archived_at, load=load, limit=limit)
        for pk, is_active, archived_at, load, limit in rows()
    }


def without_none(operator_ids: Iterable[int | None]) -> list[int]:
    return [operator_id for operator_id in operator_ids if operator_id is not None]


def locked_obstacle_columns(operator_ids: Sequence[int]) -> QuerySet[Operator, Seen]:
    return locked_operators(operator_ids).values_list("pk", "is_active", "archived_at", "current_load", "max_load")


def locked_operators(operator_ids: Sequence[int]) -> QuerySet[Operator]:
    if len(operator_ids) == 1:  # nothing to sort
        return Operator.objects.filter(pk=operator_ids[0]).select_for_update(no_key=True)
    return Operator.objects.filter(pk__in=operator_ids).order_by("pk").select_for_update(no_key=True)


def take_places(operator_id: int, number: int = 1) -> None:
    """Takes so many places, with the caller's next statement or the commit, which is where an error is raised.

    The caller holds the operator's lock and has seen that they are free, or forces it.
    """
    TAKE.later(operator_id, number)


def place_taking_update(operators: QuerySet[Operator], number: Any = 1) -> tuple[QuerySet[Operator], dict[str, Any]]:
    """So many places of each of these, for a `compiled.Update`."""
    taken = ExpressionWrapper(number, IntegerField()) if isinstance(number, Expression) else number
    return operators, {"current_load": F("current_load") + taken}


def give_back_place(operator_id: int) -> None:
    """Gives one place back. A load that has drifted to 0 stays there: `check_routing` reports drift and mends it."""
    Operator.objects.filter(pk=operator_id, current_load__gt=0).update(current_load=F("current_load") - 1)


def set_load(operator_id: int, load: int) -> None:
    """Corrects a load that has drifted. The caller holds the lock and has counted."""
    Operator.objects.filter(pk=operator_id).update(current_load=load)
