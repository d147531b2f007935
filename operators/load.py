"""The load of an operator, and the lock that guards it: the only module that changes a load.

Every function runs inside the transaction that changes the contact, so that load and contacts agree at every commit.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Expression, ExpressionWrapper, F, IntegerField, QuerySet

from core.db.compiled import Columns, Select, Update
from core.db.writes import Change
from operators.models import Operator

COLUMNS = Columns(Operator, ["id", "name", "is_active", "max_load", "current_load", "archived_at"])
LOCK_ONE: Select[Any] = Select(
    lambda pk: Operator.objects.filter(pk=pk).select_for_update(no_key=True).values_list(*COLUMNS.names)
)
TAKE = Update(lambda pk, number: taking(Operator.objects.filter(pk=pk), number))
# A load that has drifted to 0 stays there: `check_routing` reports drift and repairs it.
GIVE_BACK = Update(
    lambda pk: (Operator.objects.filter(pk=pk, current_load__gt=0), {"current_load": F("current_load") - 1})
)


def lock_operators(operator_ids: Iterable[int | None]) -> dict[int, Operator]:
    """Locks these operators until the transaction ends; returns them, fresh, by id. None and unknown ids are left out.

    A single one comes without the fields that tell nothing of what it can take.
    In key order, so that two callers cannot wait for each other; foreign keys to the rows stay usable.
    """
    wanted = {operator_id for operator_id in operator_ids if operator_id is not None}
    if len(wanted) == 1:
        locked = COLUMNS.instances(LOCK_ONE(*wanted))
    else:
        locked = list(Operator.objects.filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True))
    return {operator.pk: operator for operator in locked}


def take_places(operator_id: int, number: int = 1) -> None:
    """The caller holds the operator's lock and has seen that the places are free, or forces it."""
    TAKE(operator_id, number)


def place_taken(operator_id: int) -> Change:
    """The same for one place, to be stored with the change of the contact that takes it."""
    return Change(TAKE, (operator_id, 1), is_required=False)


def taking(operators: QuerySet[Operator], number: Any = 1) -> tuple[QuerySet[Operator], dict[str, Any]]:
    """For a compiled update: takes so many places of each of these operators."""
    taken = ExpressionWrapper(number, IntegerField()) if isinstance(number, Expression) else number
    return operators, {"current_load": F("current_load") + taken}


def place_given_back(operator_id: int) -> Change:
    """To be stored with the change of the contact that frees the place. The caller holds the operator's lock."""
    return Change(GIVE_BACK, (operator_id,), is_required=False)


def set_load(operator_id: int, load: int) -> None:
    """The caller holds the operator's lock, and has counted."""
    Operator.objects.filter(pk=operator_id).update(current_load=load)
