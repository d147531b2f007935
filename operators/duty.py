"""When an operator was on duty: read from the recorded changes."""

from collections.abc import Iterator
from datetime import datetime

from core.changes.models import Change
from core.errors import Unknown
from operators.models import Operator

Interval = tuple[datetime, datetime]


def duty_intervals(*, operator_id: int, start: datetime, end: datetime) -> list[Interval]:
    """The intervals between `start` and `end` in which the operator was on duty and not archived, oldest first.

    An interval that has not ended yet ends at `end`. Raises Unknown.
    """
    found: list[Interval] = []
    for begin, until in on_duty(operator_id, end):
        begin, until = max(begin, start), min(until, end)
        if begin < until and found and found[-1][1] == begin:
            found[-1] = (found[-1][0], until)
        elif begin < until:
            found.append((begin, until))
    return found


def on_duty(operator_id: int, end: datetime) -> Iterator[Interval]:
    """What lies between two records in which the operator is on duty, since the operator was created."""
    operator = Operator.objects.filter(pk=operator_id).first()  # before the records, which then know all later changes
    if operator is None:
        raise Unknown("operator", operator_id)
    records = list(
        Change.objects.filter(operator_id=operator_id, what__startswith="operator.")
        .order_by("pk")
        .values_list("at", "before", "after")
    )
    # Operators from before the first record: as the first change found them, or as they still are.
    is_active = first_value(records, "is_active", operator.is_active)
    archived = first_value(records, "archived", operator.archived_at is not None)
    since = operator.created_at
    for at, _before, after in records:
        at = max(at, since)  # the clock may have been set back
        if is_active and not archived:
            yield since, at
        is_active, archived, since = after.get("is_active", is_active), after.get("archived", archived), at
    if is_active and not archived:
        yield since, max(end, since)


def first_value(records: list[tuple[datetime, dict[str, bool], dict[str, bool]]], name: str, now: bool) -> bool:
    """What this was at the beginning: in the record that set it first; as it is `now` if none did."""
    for _at, before, after in records:
        if name in after:
            return before.get(name, after[name])
    return now
