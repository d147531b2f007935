"""Who opens the desk, and which contacts its buttons may touch."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from operators.models import Operator
from routing import own_contacts
from routing.models import Contact

View = Callable[..., HttpResponse]


def for_operators(view: View) -> View:
    """Calls the view with the user's own operator; refuses users who have none."""

    @wraps(view)
    def answer(request: HttpRequest, **parts: Any) -> HttpResponse:
        operator = own_contacts.own_operator(request.user) if own_contacts.answers_contacts(request.user) else None
        if operator is None:
            raise PermissionDenied
        return view(request, operator, **parts)

    return answer


def for_presses(view: View) -> View:
    """Like `for_operators`, for buttons: a link presses nothing."""

    def answer(request: HttpRequest, operator: Operator, **parts: Any) -> HttpResponse:
        response: HttpResponse = require_POST(view)(request, operator, **parts)
        return response

    return for_operators(wraps(view)(answer))


def find_known(operator: Operator, contact_id: int) -> Contact | None:
    """The contact, if this operator has it or has had it. Of all others nobody learns here whether they exist."""
    contact = Contact.objects.select_related("lead", "operator").defer("message").filter(pk=contact_id).first()
    return contact if contact and operator.pk in contact.holder_ids else None
