"""Changes that apply at once, without a form to save: an operator's duty and limit; and *Undo* of any change.

They answer requests of htmx with a toast. What shows the value asks again then: see `core.admin.live`.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.admin.questions import ask, is_sure
from core.admin.toasts import show_toast, trigger
from core.admin.verbs import acting_author, refusal_text
from core.changes.models import Change
from core.errors import FieldError, Invalid, Refusal, Unknown
from core.ids import is_id
from operators.models import Operator
from operators.models.operator import LIMITS
from routing import operator_actions, reverting
from routing.admin import change_sentences, consequences

SWITCHED = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


def read_duty(text: str) -> bool:
    if text not in SWITCHED:
        raise Invalid(FieldError("value", "invalid", _("This is neither on nor off duty.")))
    return SWITCHED[text]


def read_limit(text: str) -> int:
    number = int(text) if is_id(text) else 0
    if not LIMITS[0] <= number <= LIMITS[1]:
        raise Invalid(FieldError("value", "invalid", _("The limit must be a whole number from 1 to 100.")))
    return number


READING: dict[str, Callable[[str], Any]] = {"is_active": read_duty, "max_load": read_limit}


@require_POST
def set_operator(request: HttpRequest, operator_id: int) -> HttpResponse:
    """Sets `field`, is_active or max_load, to `value`: true or false, or 1 to 100.

    `seen`: the value that the page has shown, if it sends one; nothing is changed if the stored one is another. What
    does harm is asked first: see `core.admin.questions`. Answers 422 if the value cannot be one, 404 or 409 for
    refusals of the verb; all with a toast, as a success.
    """
    if not request.user.has_perm("operators.change_operator"):
        raise PermissionDenied
    field, before = request.POST.get("field", ""), last_change()
    try:
        if field not in READING:
            raise Invalid(FieldError("field", "invalid", _("This cannot be changed here.")))
        value = READING[field](request.POST.get("value", "").strip())
        seen = {field: READING[field](request.POST["seen"])} if "seen" in request.POST else None
        if (question := question_before(request, operator_id, field, value)) is not None:
            return question
        operator = operator_actions.change_operator(
            operator_id=operator_id, changes={field: value}, seen=seen, author=acting_author(request)
        )
    except Refusal as refusal:
        return refused(refusal)
    made = latest_since(before, request, what="operator.changed", operator_id=operator_id)
    return done(present_text(operator, field), undo_url(request, made))


def question_before(request: HttpRequest, operator_id: int, field: str, value: Any) -> HttpResponse | None:
    """The question, if this change does harm and the user has not confirmed it."""
    operator = Operator.objects.current().filter(pk=operator_id).first()
    if operator is None or is_sure(request):
        return None
    if field == "max_load":
        title, submit = _("Lower the limit of %(name)s to %(limit)s?"), _("Lower the limit")
        harm = consequences.of_limit(operator, value)
    else:
        title, submit = _("Take %(name)s off duty?"), _("Take off duty")
        harm = [] if value else consequences.of_going_off_duty(operator)
    if not harm:
        return None
    return ask(request, title=title % {"name": operator, "limit": value}, sentences=harm, submit=submit)


def present_text(operator: Operator, field: str) -> str:
    if field == "max_load":
        return _("%(name)s: the limit is %(limit)s.") % {"name": operator, "limit": operator.max_load}
    words = _("%(name)s is on duty.") if operator.is_active else _("%(name)s is off duty.")
    return words % {"name": operator}


@require_POST
def undo_change(request: HttpRequest, change_id: int) -> HttpResponse:
    """Reverts the change, as the page of changes does. Answers with a toast: what is set now, or why it is not."""
    if not may_undo(request):
        raise PermissionDenied
    try:
        made = reverting.revert_change(change_id=change_id, author=acting_author(request))
    except Refusal as refusal:
        return refused(refusal)
    return done(change_sentences.change_text(made, change_sentences.read_names([made])))


def may_undo(request: HttpRequest) -> bool:
    return request.user.has_perm("changes.revert_change") and request.user.has_perm("changes.view_change")


def last_change() -> int:
    """The id of the newest change of configuration; 0 if there is none."""
    return Change.objects.order_by("pk").values_list("pk", flat=True).last() or 0


def latest_since(before: int, request: HttpRequest, **about: object) -> Change | None:
    """What the user has changed after `before`, a result of `last_change`; None if all was so already."""
    by = acting_author(request).by
    return Change.objects.filter(pk__gt=before, by=by, **about).order_by("pk").last()


def undo_url(request: HttpRequest, change: Change | None) -> str:
    """The address of *Undo* for this change; empty if there is nothing to undo, or the user may not."""
    if change is None or not may_undo(request) or not reverting.is_revertible(change):
        return ""
    return reverse("undo_change", args=[change.pk])


def done(text: str, undo: str = "") -> HttpResponse:
    """The answer to a change that is made: the toast, and live parts of the page ask immediately."""
    return trigger(show_toast(HttpResponse(status=204), text, undo_url=undo), refresh=True)


def refused(refusal: Refusal) -> HttpResponse:
    """The answer to one that is not, which lets the page show again what is stored."""
    status = 422 if isinstance(refusal, Invalid) else 404 if isinstance(refusal, Unknown) else 409
    return trigger(show_toast(HttpResponse(status=status), refusal_text(refusal), level="error"), refresh=True)
