"""The page itself, and the part of it that follows what happens."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from core.admin.live import AGES_STAND, live_response
from operators.models import Operator
from routing import own_contacts
from routing.admin.desk import cards, duty
from routing.admin.desk.access import for_operators
from routing.models import Contact

OPEN, DONE = "open", "done"


def my_contacts(request: HttpRequest) -> HttpResponse:
    """The desk; for somebody whose account belongs to no operator, what to ask for."""
    if not own_contacts.answers_contacts(request.user):
        raise PermissionDenied
    operator = own_contacts.own_operator(request.user)
    context = admin.site.each_context(request) | {"title": _("My contacts")}
    if operator is None:
        return render(request, "routing/desk/no_operator.html", context)
    return render(request, "routing/desk/my_contacts.html", context | desk_context(request, operator))


@for_operators
def my_contacts_live(request: HttpRequest, operator: Operator) -> HttpResponse:
    def rendered() -> str:
        return render_to_string("routing/desk/live.html", desk_context(request, operator), request)

    return live_response(request, version_of(operator), rendered, minutes=AGES_STAND)


def version_of(operator: Operator) -> tuple[object, ...]:
    """Changes with the operator's duty, limit and load, and with its open contacts and their notes, in one small query.

    What else a card shows is read again every AGES_STAND minutes.
    """
    now = timezone.now()
    contacts = Contact.objects.open().filter(operator=operator).order_by("pk")
    return (
        operator.updated_at,
        operator.is_active,
        operator.current_load,
        operator.paused_until,
        operator.capped_until,
        *contacts.values_list("pk", "updated_at", "lead__updated_at", Max("notes")),
        contacts.filter(due_at__lte=now).count(),
    )


def desk_context(request: HttpRequest, operator: Operator) -> dict[str, Any]:
    shown = DONE if request.GET.get("shown") == DONE else OPEN
    open_cards = cards.open_cards(operator)
    return {
        **duty.duty_context(operator),
        "shown": shown,
        "open_count": len(open_cards),
        "cards": cards.done_cards(operator) if shown == DONE else open_cards,
        "untaken": [card for card in open_cards if card.contact.is_untaken],
    }
