"""The pages of shifts: an operator's schedule, absences and pause, for supervisors; one's own, for operators."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from core.admin import formatting
from core.admin.verbs import VerbAction, VerbAdmin, acting_author, refusal_text
from core.admin.weekly_forms import WeeklyForm
from core.errors import Conflict, Invalid, Refusal, Unknown
from core.ids import is_id
from operators.duty_plan import load_plan
from operators.models import Absence, Operator
from routing import duty_edges, holidays, own_contacts
from routing.admin import shift_tables
from routing.admin.shift_forms import AbsenceForm, PauseForm

MINUTES = (30, 60)  # of the pauses that take one press
PAST = 20  # absences that are over, at most


class ShiftForms:
    """The forms of one page; the one whose button was pressed is filled in with what was sent."""

    def __init__(self, operator: Operator, request: HttpRequest) -> None:
        sent = {request.POST.get("do", ""): request.POST} if request.method == "POST" else {}
        schedule = getattr(operator, "schedule", None)
        present = {"time_zone": schedule.time_zone, "shifts": schedule.shifts} if schedule else None
        self.pause = PauseForm(sent.get("pause_until"), prefix="pause")
        self.absence = AbsenceForm(sent.get("absence"), prefix="absence")
        self.schedule = WeeklyForm(sent.get("schedule"), present=present)


Press = Callable[[HttpRequest, Operator, ShiftForms], bool]  # returns whether it is done; else the page shows why not


def run(request: HttpRequest, verb: Callable[..., object], operator: Operator, done: Callable[[Any], str]) -> bool:
    """Calls the verb for the operator, and shows its result or refusal as a message."""
    try:
        result = verb(operator_id=operator.pk, author=acting_author(request))
    except Refusal as refusal:
        messages.error(request, refusal_text(refusal))
    else:
        messages.success(request, done(result))
    return True


def paused_text(operator: Operator) -> str:
    if operator.paused_until is None:
        return gettext("The pause is over already.")
    until = shift_tables.moment_text(operator.paused_until, timezone.now())
    return gettext("%(name)s: paused until %(moment)s.") % {"name": operator, "moment": until}


def resumed_text(operator: Operator) -> str:
    words = gettext("%(name)s is on duty again.") if operator.is_active else gettext("%(name)s stays off duty.")
    return words % {"name": operator}


def pause_for(minutes: int) -> Press:
    def press(request: HttpRequest, operator: Operator, forms: ShiftForms) -> bool:
        verb = partial(duty_edges.pause_operator, minutes=minutes)
        return run(request, verb, operator, paused_text)

    return press


def pause_until(request: HttpRequest, operator: Operator, forms: ShiftForms) -> bool:
    if not forms.pause.is_valid():
        return False
    until = forms.pause.moment(timezone.now())
    return run(request, partial(duty_edges.pause_operator, until=until), operator, paused_text)


def resume(request: HttpRequest, operator: Operator, forms: ShiftForms) -> bool:
    return run(request, duty_edges.resume_operator, operator, resumed_text)


def add_absence(request: HttpRequest, operator: Operator, forms: ShiftForms) -> bool:
    form = forms.absence
    if not form.is_valid():
        return False
    try:
        duty_edges.add_absence(operator_id=operator.pk, author=acting_author(request), **form.values)
    except Invalid as refusal:
        form.show_refusal(refusal)
        return False
    except Conflict:
        form.add_error("first_day", overlap_text(operator, form.values["start"], form.values["end"]))
        return False
    except Unknown as refusal:
        messages.error(request, refusal_text(refusal))
        return True
    messages.success(request, gettext("The absence was added."))
    return True


def overlap_text(operator: Operator, start: datetime, end: datetime) -> str:
    """The refusal of an absence, with the dates of the other one on the operator's clock."""
    others = Absence.objects.filter(operator=operator, ended_at__isnull=True, start__lt=end, end__gt=start)
    other = others.order_by("start").first()
    span = shift_tables.span_text(other) if other else formatting.NOTHING
    return gettext("There is another absence at that time: %(span)s.") % {"span": span}


def cancel_absence(request: HttpRequest, operator: Operator, forms: ShiftForms) -> bool:
    number = request.POST.get("absence_id", "")
    verb = partial(duty_edges.cancel_absence, absence_id=int(number) if is_id(number) else 0)
    return run(request, verb, operator, lambda result: gettext("The absence was called off."))


def changed_text(operator: Operator) -> str:
    now = "; ".join(shift_tables.weekly_lines(operator)) or formatting.NOTHING
    words = gettext("Somebody has changed this while the page was open. Now: %(value)s. Save again to overwrite it.")
    return words % {"value": now}


def save_schedule(request: HttpRequest, operator: Operator, forms: ShiftForms) -> bool:
    form = forms.schedule
    if not form.is_valid():
        return False
    if form.seen is not None and form.seen != form.present:
        form.add_error("shifts", changed_text(operator))
        form.data = sent = request.POST.copy()
        sent["shown"] = form.initial["shown"]  # the user has been told
        return False
    try:
        duty_edges.set_schedule(operator_id=operator.pk, author=acting_author(request), **form.values)
    except Invalid as refusal:
        form.show_refusal(refusal)
        return False
    except Unknown as refusal:
        messages.error(request, refusal_text(refusal))
        return True
    messages.success(request, gettext("The schedule was saved."))
    return True


PAUSES: dict[str, Press] = {
    **{f"pause_{minutes}": pause_for(minutes) for minutes in MINUTES},
    "pause_until": pause_until,
    "resume": resume,
}
PRESSES: dict[str, Press] = PAUSES | {
    "absence": add_absence,
    "cancel": cancel_absence,
    "schedule": save_schedule,
}


def page_context(operator: Operator, forms: ShiftForms, now: datetime) -> dict[str, Any]:
    """What the page shows; to be called and rendered with the operator's time zone active."""
    plan = load_plan(operator)
    current = [absence for absence in plan.absences if absence.end > now]
    past = duty_edges.list_absences(operator_id=operator.pk).filter(ended_at__isnull=False).order_by("-start")
    return {
        "operator": operator,
        "forms": forms,
        "zone": holidays.zone_of(operator).key,
        "present": shift_tables.present_text(plan, now),
        "days": shift_tables.planned_days(plan, now),
        "has_schedule": plan.weekly is not None,
        "weekly": shift_tables.weekly_lines(operator),
        "absences": shift_tables.absence_rows(current, now),
        "past": shift_tables.absence_rows(past[:PAST], now),
    }


def answer(
    request: HttpRequest, operator: Operator, presses: dict[str, Press], back: str, page: dict[str, Any]
) -> HttpResponse:
    """Does what the pressed button says and leads to `back`, or shows the page with what is wrong."""
    with timezone.override(holidays.zone_of(operator)):
        forms = ShiftForms(operator, request)
        if request.method == "POST":
            press = presses.get(request.POST.get("do", ""))
            if press is None or press(request, operator, forms):
                return redirect(back)
        context = page_context(operator, forms, timezone.now()) | page
        return render(request, "routing/shifts.html", admin.site.each_context(request) | context)


def own_shifts(request: HttpRequest) -> HttpResponse:
    """The page of operators on their own shifts: they see all of it, and pause."""
    if not own_contacts.answers_contacts(request.user):
        raise PermissionDenied
    operator = own_contacts.own_operator(request.user)
    if operator is None:
        raise Http404
    return answer(request, operator, PAUSES, reverse("own_shifts"), {"title": gettext("My shifts"), "is_own": True})


class ShiftPages(VerbAdmin):
    """The base of the pages of operators."""

    @action(description=_("Shifts"), url_path="shifts", permissions=["shift"], icon="calendar_month")
    def shifts(self, request: HttpRequest, object_id: str) -> HttpResponse:
        operator = self.get_object(request, object_id)
        if operator is None or operator.archived_at:
            raise Http404
        page = {"title": gettext("Shifts: %(name)s") % {"name": operator}, "opts": self.opts, "is_own": False}
        return answer(request, operator, PRESSES, request.path, page)

    def has_shift_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return bool(super().has_change_permission(request))

    def has_pause_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return self.has_shift_permission(request)

    @VerbAction(
        button=_("Pause for 30 minutes"),
        permission="pause",
        title=_("Pause for 30 minutes?"),
        description=_("The operator goes off duty, and comes back by itself."),
        submit=_("Pause"),
    )
    def pause(self, request: HttpRequest, operators: Iterable[Operator]) -> None:
        author = acting_author(request)
        self.for_each(
            request,
            operators,
            lambda pk: duty_edges.pause_operator(operator_id=pk, minutes=30, author=author),
            lambda count: (
                ngettext("%(count)d operator is paused.", "%(count)d operators are paused.", count) % {"count": count}
            ),
        )

    @VerbAction(
        button=_("End the pause"),
        permission="pause",
        title=_("End the pause?"),
        description=_("The operator is on duty again, if the schedule says so."),
        submit=_("End the pause"),
    )
    def resume(self, request: HttpRequest, operators: Iterable[Operator]) -> None:
        author = acting_author(request)
        self.for_each(
            request,
            operators,
            lambda pk: duty_edges.resume_operator(operator_id=pk, author=author),
            lambda count: (
                ngettext("%(count)d operator is not paused.", "%(count)d operators are not paused.", count)
                % {"count": count}
            ),
        )
