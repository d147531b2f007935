"""Pauses with one press: from the page *Now*, and from any page that has the buttons."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from core.admin.verbs import acting_author
from core.errors import Refusal
from operators.models import Operator
from routing import duty_edges
from routing.admin import shifts
from routing.admin.switches import done, refused

MINUTES = 30


@require_POST
def pause_operator(request: HttpRequest, operator_id: int) -> HttpResponse:
    """Pauses the operator for MINUTES; *Undo* ends the pause."""
    verb = partial(duty_edges.pause_operator, minutes=MINUTES)
    return call(request, operator_id, verb, shifts.paused_text, undo="operator_resume")


@require_POST
def resume_operator(request: HttpRequest, operator_id: int) -> HttpResponse:
    """Ends the pause of the operator."""
    return call(request, operator_id, duty_edges.resume_operator, shifts.resumed_text)


def call(
    request: HttpRequest,
    operator_id: int,
    verb: Callable[..., Operator],
    text: Callable[[Any], str],
    undo: str = "",
) -> HttpResponse:
    """Calls the verb for users who may change operators; answers with a toast, as `routing.admin.switches` does."""
    if not request.user.has_perm("operators.change_operator"):
        raise PermissionDenied
    try:
        operator = verb(operator_id=operator_id, author=acting_author(request))
    except Refusal as refusal:
        return refused(refusal)
    return done(text(operator), reverse(undo, args=[operator_id]) if undo else "")
