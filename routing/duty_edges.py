"""Schedules, absences and pauses: the verbs that set them, and the edges at which they turn the switch.

`is_active` stays the one switch that eligibility reads. An edge is done once: under the operator's lock, together with
the hand-over that an absence may ask for. A change by hand holds until the next edge.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core import retry, text
from core.changes.recording import SERVICE, Author, record_change
from core.errors import Conflict, FieldError, Invalid, Overtaken, Unknown
from core.moments import format_utc
from operators.caps import AHEAD
from operators.duty_plan import DutyPlan, load_plan, load_plans, weekly_of
from operators.models import Absence, Operator, Schedule
from operators.schedule_input import read_shifts
from operators.weekly import Interval
from routing import handover, history, queue
from routing.operator_actions import EDGES, change_locked, lock_current, set_duty

PAUSE_MINUTES = (1, 43_200)
LONGEST_REASON = 200
EDGES_TOGETHER = 100  # operators of one call of `turn_edges`; the next follows in a second, after the other parts

Values = dict[str, Any]


@dataclass(slots=True)
class Recorded:
    """The kind of a change, and the values before and after it besides the switch."""

    what: str = "operator.changed"
    before: Values = field(default_factory=dict)
    after: Values = field(default_factory=dict)


def set_schedule(
    *,
    operator_id: int,
    time_zone: object,
    shifts: object,
    seen: Mapping[str, Any] | None = None,
    author: Author = SERVICE,
) -> Values:
    """Replaces the schedule, which acts at once, as if its last edge had just passed; without shifts only the switch is
    left, as it is. Setting the same again changes nothing.

    `shifts`: [{"weekday": 1..7, "from": "09:00", "to": "18:00"}, ...]. `seen`: any of `schedule_values` that the caller
    wants to replace. Returns what `read_schedule` does. Raises Unknown; Invalid; or Conflict `changed_meanwhile` if one
    of `seen` is not the stored one.
    """
    zone, read = read_shifts(time_zone=time_zone, shifts=shifts)

    def change(plan: DutyPlan, now: datetime) -> Recorded:
        before, after = schedule_values(operator_id), {"time_zone": zone if read else None, "weekly": read}
        if any(before[name] != value for name, value in (seen or {}).items()):
            raise Overtaken
        if before == after:
            return Recorded()
        Schedule.objects.filter(operator=operator_id).delete()
        schedule = Schedule.objects.create(operator_id=operator_id, time_zone=zone, shifts=read) if read else None
        plan.weekly, plan.operator.edges_done_at = weekly_of(schedule), now
        if plan.weekly:
            plan.plan_switch(plan.weekly.covers(now))
        return Recorded("operator.scheduled", before, after)

    change_plan(operator_id, author, change)
    return read_schedule(operator_id=operator_id)


def read_schedule(*, operator_id: int) -> Values:
    """{"time_zone", "weekly"}; without a schedule the service's time zone and an empty list. Raises Unknown."""
    find_operator(operator_id)
    values = schedule_values(operator_id)
    return values | {"time_zone": values["time_zone"] or settings.TIME_ZONE}


def schedule_values(operator_id: int) -> Values:
    schedule = Schedule.objects.filter(operator=operator_id).first()
    if schedule is None:
        return {"time_zone": None, "weekly": []}
    return {"time_zone": schedule.time_zone, "weekly": schedule.shifts}


def add_absence(
    *,
    operator_id: int,
    start: datetime,
    end: datetime,
    reason: str = "",
    handover: bool = False,
    author: Author = SERVICE,
) -> Absence:
    """An absence from `start` to `end`: at its begin off duty, and handed over if asked; at its end back on duty if the
    schedule or the former switch says so. One that has begun already begins now.

    Raises Unknown; Invalid for an absence that is over or has no length; Conflict `overlaps`.
    """
    reason = read_absence(start, end, reason)
    made: list[Absence] = []

    def change(plan: DutyPlan, now: datetime) -> Recorded:
        raise_if_overlapping(plan, start, end)
        absence = Absence.objects.create(
            operator_id=operator_id, start=start, end=end, reason=reason, handover=handover
        )
        plan.absences.append(absence)
        made[:] = [absence]
        return Recorded("operator.absence_added", {}, absence_values(absence))

    change_plan(operator_id, author, change)
    return retry.reload_rows(made)[0]


def read_absence(start: datetime, end: datetime, reason: str) -> str:
    """The reason as it is stored. Raises Invalid."""
    reason = text.trim(text.replace_unstorable(reason))
    errors = []
    if end <= start:
        errors.append(FieldError("to", "empty", _("The absence must end after it begins.")))
    elif end <= timezone.now():
        errors.append(FieldError("to", "past", _("The absence must end in the future.")))
    if len(reason) > LONGEST_REASON:
        detail = _("At most %(number)s characters are allowed.") % {"number": LONGEST_REASON}
        errors.append(FieldError("reason", "max_length", detail))
    if errors:
        raise Invalid(*errors)
    return reason


def raise_if_overlapping(plan: DutyPlan, start: datetime, end: datetime) -> None:
    for other in plan.absences:
        if other.ended_at is None and other.start < end and start < other.end:
            found = {"begin": format_utc(other.start), "end": format_utc(other.end), "id": other.pk}
            detail = _("This overlaps absence %(id)s, from %(begin)s to %(end)s.") % found
            raise Conflict("overlaps", detail, (FieldError("from", "overlaps", detail),))


def cancel_absence(*, operator_id: int, absence_id: int, author: Author = SERVICE) -> None:
    """Calls an absence off: one that is running ends now. Raises Unknown, or Conflict `absence_over`."""

    def change(plan: DutyPlan, now: datetime) -> Recorded:
        absence = next((one for one in plan.absences if one.pk == absence_id and one.ended_at is None), None)
        if absence is None:
            raise error_of_gone(operator_id, absence_id)
        was_running = absence.began_at is not None
        absence.ended_at = now
        plan.touched.add(absence)
        if was_running:
            plan.come_back(now, was_active=bool(absence.was_active))
        return Recorded("operator.absence_cancelled", absence_values(absence), {})

    change_plan(operator_id, author, change)


def error_of_gone(operator_id: int, absence_id: int) -> Conflict | Unknown:
    if Absence.objects.not_cancelled().filter(operator=operator_id, pk=absence_id).exists():
        return Conflict("absence_over", _("Absence %(id)s is over.") % {"id": absence_id})
    return Unknown("absence", absence_id)


def list_absences(*, operator_id: int) -> QuerySet[Absence]:
    """All but the cancelled ones, in the order of their begin. Raises Unknown."""
    find_operator(operator_id)
    return Absence.objects.not_cancelled().filter(operator=operator_id).order_by("start", "pk")


def absence_values(absence: Absence) -> Values:
    return {
        "absence_id": absence.pk,
        "from": format_utc(absence.start),
        "to": format_utc(absence.end),
        "absence_reason": absence.reason,
        "handover": absence.handover,
    }


def pause_operator(
    *, operator_id: int, until: datetime | None = None, minutes: int | None = None, author: Author = SERVICE
) -> Operator:
    """Off duty now, and back by itself: for so many minutes, or until a moment. A new pause replaces the one before.

    Raises Unknown, or Invalid.
    """
    raise_if_not_a_pause(until, minutes)

    def change(plan: DutyPlan, now: datetime) -> Recorded:
        operator = plan.operator
        before = moment_text(operator.paused_until)
        if operator.paused_until is None:
            operator.was_active = plan.planned_switch
        operator.paused_until = until or now + timedelta(minutes=minutes or 0)
        plan.is_active = False
        return Recorded(
            "operator.paused", {"paused_until": before}, {"paused_until": moment_text(operator.paused_until)}
        )

    return change_plan(operator_id, author, change)


def raise_if_not_a_pause(until: datetime | None, minutes: int | None) -> None:
    if (until is None) == (minutes is None):
        detail = _("Send either minutes or until.")
        raise Invalid(FieldError("minutes", "one_of_two", detail), FieldError("until", "one_of_two", detail))
    if minutes is not None and not PAUSE_MINUTES[0] <= minutes <= PAUSE_MINUTES[1]:
        limits = {"least": PAUSE_MINUTES[0], "most": PAUSE_MINUTES[1]}
        raise Invalid(FieldError("minutes", "invalid", _("A pause has %(least)s to %(most)s minutes.") % limits))
    if until is not None and until <= timezone.now():
        raise Invalid(FieldError("until", "past", _("The pause must end in the future.")))


def resume_operator(*, operator_id: int, author: Author = SERVICE) -> Operator:
    """Ends the pause; without one it changes nothing. Raises Unknown."""

    def change(plan: DutyPlan, now: datetime) -> Recorded:
        if plan.operator.paused_until is None:
            return Recorded()
        before = moment_text(plan.operator.paused_until)
        plan.end_pause(now)
        return Recorded("operator.resumed", {"paused_until": before}, {"paused_until": None})

    return change_plan(operator_id, author, change)


def moment_text(moment: datetime | None) -> str | None:
    return format_utc(moment) if moment else None


def planned_availability(*, operator_id: int, start: datetime, end: datetime) -> list[Interval]:
    """The intervals on duty as planned, in UTC: by the schedule, or without one as the switch is now, from now on;
    without absences and pause. Raises Unknown."""
    operator = find_operator(operator_id)
    plan = load_plans([operator], between=(start, end))[operator_id]
    return plan.availability(start, end, timezone.now())


def find_operator(operator_id: int) -> Operator:
    operator = Operator.objects.current().filter(pk=operator_id).first()
    if operator is None:
        raise Unknown("operator", operator_id)
    return operator


def turn_edges(now: datetime) -> str:
    """Does all edges that are due, in their order for each operator. Returns what was done.

    An operator for whom it fails does not stop the others. Raises the first failure at the end.
    """
    due = Operator.objects.filter(next_edge_at__lte=now).order_by("next_edge_at", "pk").values_list("pk", flat=True)
    failures, turned = list[Exception](), 0
    for operator_id in list(due[:EDGES_TOGETHER]):
        try:
            turned += turn_edges_of(operator_id, now)
        except Unknown:  # archived meanwhile
            continue
        except Exception as error:
            failures.append(error)
    if failures:
        raise failures[0]
    return f"Operators whose duty was looked at: {turned}." if turned else ""


def look_again(now: datetime) -> None:
    """Makes operators due whose edges a clock that was ahead has done before their time, inside the caller's
    transaction. Locks in key order."""
    ahead = Operator.objects.current().filter(edges_done_at__gt=now + AHEAD)
    pks = [operator.pk for operator in ahead.order_by("pk").select_for_update(no_key=True)]
    Operator.objects.filter(pk__in=pks).update(next_edge_at=now)


def turn_edges_of(operator_id: int, now: datetime) -> bool:
    """Returns whether something was due: another process may have done it meanwhile."""
    found = False

    def work(operator: Operator) -> Turned:
        nonlocal found
        found = is_due(operator, now)
        return make_up_edges(load_plan(operator), now) if found else Turned()

    do_locked(operator_id, history.SYSTEM, work)
    return found


def is_due(operator: Operator, now: datetime) -> bool:
    return operator.next_edge_at is not None and operator.next_edge_at <= now


@dataclass(slots=True)
class Turned:
    """What has happened to a locked operator. `handing_over`: absences that have begun and ask for it."""

    has_changed: bool = False
    handing_over: list[Absence] = field(default_factory=list)


def make_up_edges(plan: DutyPlan, now: datetime) -> Turned:
    plan.turn_edges(now)
    plan.save()
    return Turned(set_duty(plan.operator, plan.is_active, EDGES), plan.handing_over)


def change_plan(operator_id: int, author: Author, change: Callable[[DutyPlan, datetime], Recorded]) -> Operator:
    """Changes the plan of a locked operator, after all edges before, and does what begins at once. Returns the operator
    as it is then. Raises Unknown."""

    def work(operator: Operator) -> Turned:
        now = timezone.now()
        plan = load_plan(operator)
        turned = make_up_edges(plan, now) if is_due(operator, now) else Turned()
        plan.turn_edges(now)  # only notes that none is due before this moment
        recorded = change(plan, now)
        plan.turn_edges(now)
        if recorded.before != recorded.after:
            plan.save()
            turned.has_changed |= store_switch(plan, recorded, author)
        return Turned(turned.has_changed, plan.handing_over)

    return retry.reload_rows([do_locked(operator_id, author.by, work)])[0]


def store_switch(plan: DutyPlan, recorded: Recorded, author: Author) -> bool:
    """Records the change, with the switch if it is turned. Returns whether it is."""
    operator, is_turned = plan.operator, plan.is_active != plan.operator.is_active
    before, after = recorded.before, recorded.after
    if is_turned:
        change_locked(operator, {"is_active": plan.is_active}, author, what=recorded.what, more=(before, after))
    else:
        record_change(recorded.what, author, before=before, after=after, operator_id=operator.pk)
    return is_turned


class OtherWay(Exception):
    """The work needs the way with a hand-over, or the one without. It starts again there, with nothing changed."""


def do_locked(operator_id: int, by: str, work: Callable[[Operator], Turned]) -> Operator:
    """Does the work with the operator locked, and hands over in the same transaction if an absence that begins asks
    for it: that needs the locks of others too, which only the work can tell. Raises Unknown."""
    while True:
        try:
            return do_without_handover(operator_id, work)
        except OtherWay:
            pass
        try:
            return do_with_handover(operator_id, by, work)
        except OtherWay:
            continue


def do_without_handover(operator_id: int, work: Callable[[Operator], Turned]) -> Operator:
    for attempt in retry.attempts():
        with attempt:
            operator = lock_current(operator_id)
            turned = work(operator)
            if turned.handing_over:
                raise OtherWay
    if turned.has_changed:
        queue.operator_changed(operator_id)
    return operator


def do_with_handover(operator_id: int, by: str, work: Callable[[Operator], Turned]) -> Operator:
    worked: list[Operator] = []
    begun: list[Absence] = []

    def before(operator: Operator) -> None:
        begun[:] = work(operator).handing_over
        worked[:] = [operator]
        if not begun:
            raise OtherWay

    def after(count: handover.HandoverCount) -> None:
        for absence in begun:
            absence.moved = count.moves
            absence.save(update_fields=["moved"])

    handover.hand_over(operator_id=operator_id, by=by, before=before, keep=False, after=after)
    return worked[0]
