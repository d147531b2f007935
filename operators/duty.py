"""When an operator was on duty: read from the recorded changes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Q

from core.changes.models import Change
from core.errors import Unknown
from operators.models import Operator

Interval = tuple[datetime, datetime]
Record = tuple[datetime, dict[str, bool], dict[str, bool]]  # when, before, after


def duty_intervals(*, operator_id: int, start: datetime, end: datetime) -> list[Interval]:
    """The intervals between `start` and `end` in which the operator was on duty and not archived, oldest first.

    An interval that has not ended yet ends at `end`. Raises Unknown.
    """
    return clip(on_duty(operator_id, end), start, end)


def clip(intervals: Iterable[Interval], start: datetime, end: datetime) -> list[Interval]:
    """What lies between `start` and `end`; intervals that touch each other become one."""
    found: list[Interval] = []
    for begin, until in intervals:
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
    yield from switched_on(records, operator.created_at, end, operator.is_active, operator.archived_at is not None)


def switched_on(
    records: list[Record], since: datetime, end: datetime, is_active: bool, archived: bool
) -> Iterator[Interval]:
    """The intervals on duty since then, by all records since then and what is true now."""
    # Operators from before the first record: as the first change found them, or as they still are.
    is_active = first_value(records, "is_active", is_active)
    archived = first_value(records, "archived", archived)
    for at, _before, after in records:
        at = max(at, since)  # the clock may have been set back
        if is_active and not archived:
            yield since, at
        is_active, archived, since = after.get("is_active", is_active), after.get("archived", archived), at
    if is_active and not archived:
        yield since, max(end, since)


def first_value(records: list[Record], name: str, now: bool) -> bool:
    """What this was at the beginning: in the record that set it first; as it is `now` if none did."""
    for _at, before, after in records:
        if name in after:
            return before.get(name, after[name])
    return now


def duty_of_all(*, start: datetime, end: datetime) -> dict[int, list[Interval]]:
    """As `duty_intervals` for every operator by id, archived ones included, with two statements. Without operators who
    were not on duty in between."""
    operators = Operator.objects.values_list("pk", "created_at", "is_active", "archived_at")
    present = {pk: (created, is_active, archived is not None) for pk, created, is_active, archived in operators}
    changed = Q(after__has_key="is_active") | Q(after__has_key="archived")
    rows = Change.objects.filter(changed, what__startswith="operator.", at__gte=start, operator_id__in=list(present))
    records: dict[int, list[Record]] = defaultdict(list)
    for pk, at, before, after in rows.order_by("pk").values_list("operator_id", "at", "before", "after"):
        records[pk or 0].append((at, before, after))
    found = {}
    for pk, (created, is_active, archived) in present.items():
        intervals = switched_on(records[pk], max(created, start), end, is_active, archived)
        if clipped := clip(intervals, start, end):
            found[pk] = clipped
    return found
