"""The load of an operator and the lock that protects it. No other module changes a load.

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
    """Locks these operators until the transaction ends; returns them, reloaded, by id. Skips None and unknown ids.

    For a single operator only the fields that decide whether it is free are loaded.
    Locks in key order, so that two callers cannot deadlock; other transactions may still store references to the rows.
    """
    wanted = {operator_id for operator_id in operator_ids if operator_id is not None}
    if len(wanted) == 1:
        locked = COLUMNS.instances(LOCK_ONE(*wanted))
    else:
        locked = list(Operator.objects.filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True))
    return {operator.pk: operator for operator in locked}


def take_places(operator_id: int, number: int = 1) -> None:
    """Adds `number` to the load. The caller holds the operator's lock, and has checked free places or forces it."""
    TAKE(operator_id, number)


def place_taken(operator_id: int) -> Change:
    """The change that takes one place, to store with the contact that takes it. Same conditions as `take_places`."""
    return Change(TAKE, (operator_id, 1), is_required=False)


def taking(operators: QuerySet[Operator], number: Any = 1) -> tuple[QuerySet[Operator], dict[str, Any]]:
    """The arguments of a compiled update that takes `number` places of each of these operators."""
    taken = ExpressionWrapper(number, IntegerField()) if isinstance(number, Expression) else number
    return operators, {"current_load": F("current_load") + taken}


def place_given_back(operator_id: int) -> Change:
    """The change that frees one place, to store with the contact that frees it. The caller has locked the operator."""
    return Change(GIVE_BACK, (operator_id,), is_required=False)


def set_load(operator_id: int, load: int) -> None:
    """Sets the load to a counted number. The caller holds the operator's lock."""
    Operator.objects.filter(pk=operator_id).update(current_load=load)
