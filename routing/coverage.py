"""Who is planned for a source, and when nobody is."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from operators.duty_plan import load_plans
from operators.duty_plan import without as without_intervals
from operators.models import Operator
from operators.weekly import Interval
from routing.models import OpeningHours, RosterEntry

SHORTEST = timedelta(minutes=1)


def holes(*, source_id: int, start: datetime, end: datetime, without: Collection[int] = ()) -> list[Interval]:
    """The intervals between two moments, inside the opening hours, in which nobody on the roster is planned.

    `without`: operators who are not counted, as if they were away.
    """
    return holes_by_source(source_ids=[source_id], start=start, end=end, without=without)[source_id]


def holes_by_source(
    *, source_ids: Collection[int], start: datetime, end: datetime, without: Collection[int] = ()
) -> dict[int, list[Interval]]:
    """The `holes` of several sources, in a fixed number of statements."""
    entries = RosterEntry.objects.current().filter(source__in=source_ids).exclude(operator__in=without)
    rosters: dict[int, list[int]] = {source_id: [] for source_id in source_ids}
    for source_id, operator_id in entries.values_list("source_id", "operator_id"):
        rosters[source_id].append(operator_id)
    everybody = {operator_id for roster in rosters.values() for operator_id in roster}
    planned = planned_by_operator(operator_ids=everybody, start=start, end=end)
    hours = {one.source_id: one for one in OpeningHours.objects.filter(source__in=source_ids) if one.shifts}
    found = {}
    for source_id, roster in rosters.items():
        is_open = hours[source_id].weekly.intervals(start, end) if source_id in hours else [(start, end)]
        covered = merge(interval for operator_id in roster for interval in planned.get(operator_id, []))
        # What is shorter lies between a begin that was now and the look at the plans, a moment later.
        found[source_id] = [(a, b) for a, b in without_intervals(is_open, covered) if b - a >= SHORTEST]
    return found


def planned_by_operator(*, operator_ids: Collection[int], start: datetime, end: datetime) -> dict[int, list[Interval]]:
    """When each operator is planned between two moments: by schedule, or without one as the switch is now; without
    absences and pause. In a fixed number of statements."""
    operators = list(Operator.objects.current().filter(pk__in=operator_ids))
    plans, now = load_plans(operators, between=(start, end)), timezone.now()
    return {operator_id: plan.availability(start, end, now) for operator_id, plan in plans.items()}


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """What they cover together, in order, each as long as possible."""
    merged: list[Interval] = []
    for begin, end in sorted(intervals):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged
