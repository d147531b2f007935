"""The load of an operator and the lock that protects it. No other module changes a load.

Every function runs inside the transaction that changes the contact, so that load and contacts agree at every commit.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone

from core.db.compiled import Columns, Select, Update
from core.db.writes import Change
from operators import caps
from operators.models import Operator

COLUMNS = Columns(
    Operator,
    [
        "id",
        "name",
        "is_active",
        "max_load",
        "current_load",
        "external_ref",
        "max_per_hour",
        "max_per_day",
        "queue_pace",
        "counted_hour",
        "in_hour",
        "counted_day",
        "in_day",
        "capped_until",
        "paced_until",
        "missed_in_a_row",
        "archived_at",
    ],
)
FEW = 2  # operators: the one who gets a contact, and the one who had it
# A load that has drifted to 0 stays there: `check_routing` reports drift and repairs it.
GIVE_BACK = Update(
    lambda pk: (Operator.objects.filter(pk=pk, current_load__gt=0), {"current_load": F("current_load") - 1})
)


def lock_operators(operator_ids: Iterable[int | None]) -> dict[int, Operator]:
    """Locks these operators until the transaction ends; returns them, reloaded, by id. Skips None and unknown ids.

    For a FEW operators only the fields that decide whether they are free are loaded.
    Locks in key order, so that two callers cannot deadlock; other transactions may still store references to the rows.
    """
    wanted = {operator_id for operator_id in operator_ids if operator_id is not None}
    if 0 < len(wanted) <= FEW:
        locked = COLUMNS.instances(lock_few(len(wanted))(*wanted))
    else:
        locked = list(in_locking_order(wanted))
    return {operator.pk: operator for operator in locked}


@cache
def lock_few(number: int) -> Select[Any]:
    return Select(lambda *pks: in_locking_order(pks).values_list(*COLUMNS.names), parameters=number)


def in_locking_order(operator_ids: Iterable[Any]) -> QuerySet[Operator]:
    return Operator.objects.filter(pk__in=operator_ids).order_by("pk").select_for_update(no_key=True)


class Counting(NamedTuple):
    """What changes in the operator's row together with the load: columns that become one more, and other columns with
    their new values, prepared for the database. Mostly nothing.

    One more is written as such, because most statements then need no value: see `core.db.writes.Table`.
    """

    one_more: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    values: Sequence[Any] = ()


NOTHING = Counting()


def place_taken(operator: Operator) -> Change:
    """The change that takes one place, to store with the contact that takes it. The caller has locked the operator,
    and has checked that it is free or forces it."""
    return take_place(operator, counted(operator))


def take_place(operator: Operator, counting: Counting) -> Change:
    return Change(take(counting.one_more, counting.names), (operator.pk, *counting.values), is_required=False)


def counted(operator: Operator, *, is_queued: bool = False) -> Counting:
    """What is counted for the caps of the locked operator, and if the contact `is_queued`, comes out of the queue, for
    its pace."""
    if not is_queued and not caps.has_cap(operator):
        return NOTHING
    now = timezone.now()
    fields = caps.count_one(operator, now) | (caps.pace_one(operator, now) if is_queued else {})
    changed = {name: value for name, value in fields.items() if value != getattr(operator, name)}
    one_more = tuple(name for name in caps.NUMBERS if changed.get(name) == getattr(operator, name) + 1)
    for name in one_more:
        del changed[name]
    return Counting(one_more, tuple(changed), prepared(changed))


def prepared(fields: Mapping[str, Any]) -> list[Any]:
    adapt = connection.ops.adapt_datetimefield_value
    return [adapt(value) if isinstance(value, datetime) else value for value in fields.values()]


@cache
def take(one_more: tuple[str, ...], names: tuple[str, ...]) -> Update:
    """Takes one place of an operator by key, and sets what is counted to the values that follow."""

    def build(pk: Any, *values: Any) -> Any:
        return taking(Operator.objects.filter(pk=pk), Counting(one_more, names, values))

    return Update(build, parameters=1 + len(names))


def taking(operators: QuerySet[Operator], counting: Counting = NOTHING) -> tuple[QuerySet[Operator], dict[str, Any]]:
    """The arguments of a compiled update that takes a place of each of these operators, and sets what is counted."""
    added = {name: F(name) + 1 for name in ("current_load", *counting.one_more)}
    return operators, added | dict(zip(counting.names, counting.values, strict=True))


def place_given_back(operator_id: int) -> Change:
    """The change that frees one place, to store with the contact that frees it. The caller has locked the operator."""
    return Change(GIVE_BACK, (operator_id,), is_required=False)


SET_LOAD = Update(lambda pk, load: (Operator.objects.filter(pk=pk), {"current_load": load}))


def set_loads(loads: Mapping[int, int]) -> None:
    """Sets loads to counted numbers, by operator id. The caller holds the operators' locks."""
    SET_LOAD.run_many(list(loads.items()))


def add_place(operator: Operator) -> None:
    """Takes a place on the instance of a locked operator, and counts it for the caps; for `save_loads`."""
    for name, value in caps.count_one(operator, timezone.now()).items():
        setattr(operator, name, value)
    operator.current_load += 1


SET_COUNTS = Update(
    lambda pk, *values: (Operator.objects.filter(pk=pk), dict(zip(caps.COUNTED, values, strict=True))),
    parameters=1 + len(caps.COUNTED),
)


def save_loads(operators: Collection[Operator]) -> None:
    """Stores the loads of these operators, and what is counted for their caps. The caller holds their locks."""
    set_loads({operator.pk: operator.current_load for operator in operators})
    SET_COUNTS.run_many(
        [
            (operator.pk, *prepared({name: getattr(operator, name) for name in caps.COUNTED}))
            for operator in operators
            if caps.has_cap(operator)
        ]
    )
