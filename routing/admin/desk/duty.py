"""The duty of the user's own operator, on top of the desk: what it is, and the buttons that change it at once."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from core.admin import formatting
from core.admin.verbs import acting_author
from core.errors import FieldError, Invalid, Refusal
from core.moments import format_utc
from operators.duty_plan import DutyPlan, load_plan
from operators.models import Operator
from routing import duty_edges, holidays, operator_actions
from routing.admin import shift_tables
from routing.admin.desk import answers
from routing.admin.desk.access import for_operators, for_presses
from routing.admin.desk.dialog import answer_dialog
from routing.admin.shift_forms import PauseForm
from routing.admin.shifts import MINUTES
from routing.models import RosterEntry


def duty_context(operator: Operator) -> dict[str, Any]:
    """What the top of the desk shows; `why_nothing` is a call, for a desk that is empty."""
    plan, now = load_plan(operator), timezone.now()
    return {
        "operator": operator,
        "present": shift_tables.present_text(plan, now),
        "load": formatting.load_bar(**operator.fullness),
        "shift": shift_today(plan),
        "why_nothing": partial(why_nothing, plan),
    }


def shift_today(plan: DutyPlan) -> str:
    """Today's hours by the weekly schedule, on the user's clock; empty without a schedule."""
    if plan.weekly is None:
        return ""
    zone, now = timezone.get_current_timezone(), timezone.now()
    day = holidays.whole_day(zone, timezone.localdate(now))
    shifts = [(max(start, day[0]), min(end, day[1])) for start, end in plan.weekly.intervals(*day)]
    return shift_tables.hours_text(shifts, day)


def why_nothing(plan: DutyPlan) -> str:
    """Why there may be no new contacts now: the first thing that somebody would have to change."""
    operator, now = plan.operator, timezone.now()
    if not RosterEntry.objects.filter(operator=operator, source__archived_at__isnull=True).exists():
        return _("You are on no roster, so no source gives you contacts. Ask your supervisor to add you to a source.")
    if operator.paused_until:
        until = shift_tables.moment_text(operator.paused_until, now)
        return _("You are paused until %(moment)s. New contacts come after that.") % {"moment": until}
    if ends := [absence.end for absence in plan.absences if absence.start <= now < absence.end]:
        until = shift_tables.moment_text(max(ends), now)
        return _("You are absent until %(moment)s. New contacts come after that.") % {"moment": until}
    if not operator.is_active:
        return _("You are off duty. New contacts come when you are on duty.")
    if operator.capped_until:
        until = shift_tables.moment_text(operator.capped_until, now)
        return _("You have had your share for now. New contacts come from %(moment)s.") % {"moment": until}
    return ""


def set_duty(request: HttpRequest, operator: Operator, is_active: bool) -> HttpResponse:
    """Undo of a duty that has ended a pause begins the pause again."""
    paused_until = operator.paused_until
    operator_actions.change_operator(
        operator_id=operator.pk, changes={"is_active": is_active}, author=acting_author(request)
    )
    if is_active:
        undo = pause_again_url(operator) if paused_until else duty_url("off")
        return answers.done(_("You are on duty."), undo_url=undo)
    return answers.done(_("You are off duty."), undo_url=duty_url("on"))


def go_on_duty(request: HttpRequest, operator: Operator) -> HttpResponse:
    return set_duty(request, operator, True)


def go_off_duty(request: HttpRequest, operator: Operator) -> HttpResponse:
    return set_duty(request, operator, False)


def pause_for(minutes: int, request: HttpRequest, operator: Operator) -> HttpResponse:
    author = acting_author(request)
    return paused(duty_edges.pause_operator(operator_id=operator.pk, minutes=minutes, author=author))


def pause_again(request: HttpRequest, operator: Operator) -> HttpResponse:
    """Undo of the end of a pause: `until` of the address."""
    try:
        until = parse_datetime(request.GET.get("until", ""))
    except ValueError:
        until = None
    if until is None or timezone.is_naive(until):
        raise Invalid(FieldError("until", "invalid", _("This pause cannot be begun again.")))
    return paused(duty_edges.pause_operator(operator_id=operator.pk, until=until, author=acting_author(request)))


def paused(operator: Operator) -> HttpResponse:
    if operator.paused_until is None:
        return answers.done(_("The pause is over already."))
    until = shift_tables.moment_text(operator.paused_until, timezone.now())
    return answers.done(_("You are paused until %(moment)s.") % {"moment": until}, undo_url=duty_url("resume"))


def resume(request: HttpRequest, operator: Operator) -> HttpResponse:
    undo = pause_again_url(operator) if operator.paused_until else ""
    resumed = duty_edges.resume_operator(operator_id=operator.pk, author=acting_author(request))
    words = _("The pause is over: you are on duty.") if resumed.is_active else _("The pause is over: you are off duty.")
    return answers.done(words, undo_url=undo)


def pause_again_url(operator: Operator) -> str:
    """Undo of the end of the pause; empty if it would be over by now."""
    until = operator.paused_until
    if until is None or until <= timezone.now() + timedelta(seconds=1):
        return ""
    return f"{duty_url('pause_again')}?until={format_utc(until)}"


def duty_url(press: str) -> str:
    return reverse("my_duty", args=[press])


PRESSES: dict[str, Callable[[HttpRequest, Operator], HttpResponse]] = {
    "on": go_on_duty,
    "off": go_off_duty,
    "resume": resume,
    "pause_again": pause_again,
    **{f"pause_{minutes}": partial(pause_for, minutes) for minutes in MINUTES},
}


@for_presses
def duty_view(request: HttpRequest, operator: Operator, press: str) -> HttpResponse:
    if press not in PRESSES:
        raise Http404
    try:
        return PRESSES[press](request, operator)
    except Refusal as refusal:
        return answers.refused(refusal)


@for_operators
def pause_until_view(request: HttpRequest, operator: Operator) -> HttpResponse:
    """The dialog for a pause until a time of day, on the user's clock."""

    def pause(form: PauseForm) -> HttpResponse:
        until, author = form.moment(timezone.now()), acting_author(request)
        return paused(duty_edges.pause_operator(operator_id=operator.pk, until=until, author=author))

    words = {"title": _("Pause until…"), "text": _("You go off duty, and come back by yourself."), "submit": _("Pause")}
    return answer_dialog(request, PauseForm, pause, words, until=timezone.localtime() + timedelta(hours=1))
