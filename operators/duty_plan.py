"""What is planned for an operator: schedule, absences and pause, and the edges at which they turn the switch.

Nothing here locks or records: `routing.duty_edges` does, with the operator's lock.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum

from django.db.models import Q

from operators.caps import AHEAD
from operators.models import Absence, Operator, Schedule
from operators.weekly import Interval, Weekly

MOMENT = timedelta(microseconds=1)  # the shortest time


class Edge(IntEnum):
    """What happens at a moment, in the order in which it is done when several happen at the same one.

    An absence that begins where another ends learns from that one what the switch was before both.
    """

    ABSENCE_BEGINS = 1
    ABSENCE_ENDS = 2
    PAUSE_ENDS = 3
    SHIFT_ENDS = 4
    SHIFT_BEGINS = 5


@dataclass(slots=True)
class DutyPlan:
    """The plan of an operator. Its methods change rows in memory; `save` stores all of them but the switch."""

    operator: Operator
    weekly: Weekly | None  # None: no schedule, only the switch
    absences: list[Absence]  # to come or begun
    is_active: bool  # the switch as the edges turn it
    handing_over: list[Absence] = field(default_factory=list)  # begun by `turn_edges`, with a handover that is due
    touched: set[Absence] = field(default_factory=set)

    def turn_edges(self, now: datetime) -> None:
        """Does all edges since those done before, up to `now`, in their order. After that `next_edge_at` is known."""
        for moment, edge, absence in sorted(self.edges_until(now), key=lambda due: due[:2]):
            self.turn(moment, edge, absence, now)
        done = self.operator.edges_done_at
        if self.weekly and done and done > now + AHEAD:
            self.plan_switch(self.weekly.covers(now))  # a clock that was ahead has done edges that are still to come
        # Not back to a clock that is a little behind: what another host has turned would be turned again.
        is_ahead = done is not None and now < done <= now + AHEAD
        self.operator.edges_done_at = done if is_ahead else now
        self.note_next_edge()

    def edges_until(self, now: datetime) -> Iterator[tuple[datetime, Edge, Absence | None]]:
        for absence in self.absences:
            if absence.began_at is None and absence.start <= now:
                yield absence.start, Edge.ABSENCE_BEGINS, absence
            if absence.ended_at is None and absence.end <= now:
                yield absence.end, Edge.ABSENCE_ENDS, absence
        if self.operator.paused_until and self.operator.paused_until <= now:
            yield self.operator.paused_until, Edge.PAUSE_ENDS, None
        done = self.operator.edges_done_at
        if self.weekly and done and done < now:
            for begin, end in self.weekly.intervals(done, now + MOMENT):
                if begin > done:
                    yield begin, Edge.SHIFT_BEGINS, None
                if end <= now:
                    yield end, Edge.SHIFT_ENDS, None

    def turn(self, moment: datetime, edge: Edge, absence: Absence | None, now: datetime) -> None:
        if edge == Edge.ABSENCE_BEGINS and absence:
            absence.was_active, absence.began_at = self.planned_switch, now
            self.touched.add(absence)
            self.is_active = False
            if absence.handover and absence.end > now:  # of one that is over nothing is made up but its marks
                self.handing_over.append(absence)
        elif edge == Edge.ABSENCE_ENDS and absence:
            self.end_absence(absence, moment, now)
        elif edge == Edge.PAUSE_ENDS:
            self.end_pause(moment)
        else:
            self.plan_switch(edge == Edge.SHIFT_BEGINS)

    def end_absence(self, absence: Absence, moment: datetime, now: datetime) -> None:
        absence.ended_at = now
        self.touched.add(absence)
        self.come_back(moment, was_active=bool(absence.was_active))

    def end_pause(self, moment: datetime) -> None:
        was_active = bool(self.operator.was_active)
        self.operator.paused_until = self.operator.was_active = None
        self.come_back(moment, was_active=was_active)

    def come_back(self, moment: datetime, *, was_active: bool) -> None:
        """On duty if the schedule or the former switch says so, unless something else keeps the operator away."""
        is_planned = was_active or (self.weekly is not None and self.weekly.covers(moment))
        if is_planned and not self.is_away:
            self.is_active = True

    def plan_switch(self, planned: bool) -> None:
        """Turns the switch, or what it will be after absences and pause."""
        self.is_active = planned and not self.is_away
        for absence in self.absences:
            if is_running(absence):
                absence.was_active = planned
                self.touched.add(absence)
        if self.operator.paused_until:
            self.operator.was_active = planned

    @property
    def is_away(self) -> bool:
        """By an absence or a pause."""
        return self.operator.paused_until is not None or any(map(is_running, self.absences))

    @property
    def planned_switch(self) -> bool:
        """What the switch would be without absences and pause."""
        for absence in self.absences:
            if is_running(absence):
                return bool(absence.was_active)
        return bool(self.operator.was_active) if self.operator.paused_until else self.is_active

    def note_next_edge(self) -> None:
        absences = [absence for absence in self.absences if absence.ended_at is None]
        edges = [absence.end if absence.began_at else absence.start for absence in absences]
        if self.operator.paused_until:
            edges.append(self.operator.paused_until)
        done = self.operator.edges_done_at
        if self.weekly and done and (edge := self.weekly.next_edge(done)):
            edges.append(edge)
        self.operator.next_edge_at = min(edges, default=None)

    def save(self) -> None:
        """Stores the plan. The switch itself, which has more effects, is turned by `operator_actions.set_duty`."""
        for absence in self.touched:
            absence.save(update_fields=["began_at", "ended_at", "was_active"])
        self.operator.save(update_fields=["paused_until", "was_active", "next_edge_at", "edges_done_at"])

    def availability(self, start: datetime, end: datetime, now: datetime) -> list[Interval]:
        """The intervals on duty as planned: of an operator without a schedule as the switch is now, from now on."""
        if self.weekly:
            planned = self.weekly.intervals(start, end)
        else:
            planned = [(max(start, now), end)] if self.planned_switch and max(start, now) < end else []
        away = [(absence.start, absence.end) for absence in self.absences]
        if self.operator.paused_until:
            away.append((now, self.operator.paused_until))
        return without(planned, sorted(away))


def is_running(absence: Absence) -> bool:
    return absence.began_at is not None and absence.ended_at is None


def without(intervals: Sequence[Interval], away: Sequence[Interval]) -> list[Interval]:
    """What is left of the intervals. Both are in order."""
    left = list(intervals)
    for begin, end in away:
        pieces = [piece for one in left for piece in ((one[0], min(one[1], begin)), (max(one[0], end), one[1]))]
        left = [(first, last) for first, last in pieces if first < last]
    return left


def load_plan(operator: Operator) -> DutyPlan:
    return load_plans([operator])[operator.pk]


def load_plans(operators: Collection[Operator], *, between: Interval | None = None) -> dict[int, DutyPlan]:
    """The plans of these operators by id, in two statements. `between`: also with absences that are over, of the time
    between two moments."""
    ids = [operator.pk for operator in operators]
    schedules = {schedule.operator_id: schedule for schedule in Schedule.objects.filter(operator__in=ids)}
    absences = Absence.objects.filter(operator__in=ids).order_by("start", "pk")
    current = Q(ended_at__isnull=True)
    wanted = current | Q(start__lt=between[1], end__gt=between[0]) if between else current
    by_operator = group_absences(absences.not_cancelled().filter(wanted))
    return {
        operator.pk: DutyPlan(
            operator,
            weekly_of(schedules.get(operator.pk)),
            by_operator.get(operator.pk, []),
            operator.is_active,
        )
        for operator in operators
    }


def weekly_of(schedule: Schedule | None) -> Weekly | None:
    weekly = schedule.weekly if schedule else None
    return weekly if weekly and weekly.shifts else None


def group_absences(absences: Iterable[Absence]) -> dict[int, list[Absence]]:
    grouped: dict[int, list[Absence]] = {}
    for absence in absences:
        grouped.setdefault(absence.operator_id, []).append(absence)
    return grouped
