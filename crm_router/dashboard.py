"""The start page: some numbers, and links to the pages that the user may view."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import F, Min, OuterRef, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm_router.back_office import count_undecided, count_up_to_limit, may_view
from operators.models import Operator
from routing import own_contacts
from routing.admin import calendar, opening_hours
from routing.models import Contact, Source


def start(request: HttpRequest) -> HttpResponse:
    """The first page: their own contacts for operators, the overview for everyone else."""
    return (
        redirect(own_contacts.own_contacts_url())
        if own_contacts.sees_only_own(request.user)
        else admin.site.index(request)
    )


def add_numbers(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Called by unfold: adds to the context the numbers and page links that the user may view."""
    groups = [
        group | {"items": [item for item in group["items"] if item["has_permission"]]}
        for group in context["sidebar_navigation"]
    ]
    asked = {
        waiting_number: may_view("routing", "contact"),
        on_duty_number: may_view("operators", "operator"),
        holes_number: may_view("operators", "operator"),
        duplicates_number: may_view("leads", "possibleduplicate"),
    }
    numbers = [number(request) for number, permitted in asked.items() if permitted(request)]
    return context | {
        "numbers": [number for number in numbers if number],
        "groups": [group for group in groups if group["items"]],
    }


def waiting_number(request: HttpRequest) -> dict[str, Any]:
    """The number of waiting contacts, and how long the oldest has waited."""
    since = oldest_waiting_at()
    return {
        "title": _("In the queue"),
        "figure": count_up_to_limit(Contact.objects.waiting()) or "0",
        "more": since and _("The oldest has waited %(age)s") % {"age": timesince(since, timezone.now(), depth=1)},
        "link": f"{reverse('admin:routing_contact_changelist')}?status={Contact.Status.WAITING.value}",
        "is_pressing": since is not None,
    }


def oldest_waiting_at() -> datetime | None:
    """When the oldest waiting contact was created. Queried source by source, to use the index of waiting contacts."""
    own = Contact.objects.waiting().filter(source=OuterRef("pk")).order_by("pk")
    sources = Source.objects.annotate(oldest=Subquery(own.values("created_at")[:1]))
    found: datetime | None = sources.aggregate(first=Min("oldest"))["first"]
    return found


def on_duty_number(request: HttpRequest) -> dict[str, Any]:
    """The number of operators on duty, and of their free places."""
    places = Operator.objects.free().aggregate(places=Sum(F("max_load") - F("current_load")))["places"] or 0
    return {
        "title": _("Operators on duty"),
        "figure": Operator.objects.current().filter(is_active=True).count(),
        "more": ngettext("%(count)d free place", "%(count)d free places", places) % {"count": places},
        "link": f"{reverse('admin:operators_operator_changelist')}?is_active__exact=1",
        "is_pressing": places == 0,
    }


def holes_number(request: HttpRequest) -> dict[str, Any] | None:
    """A warning: the number of sources for which nobody is planned at some time of the next days. None if all are."""
    holes = calendar.upcoming_holes()
    if not holes:
        return None
    first = min(holes_of_source[0] for holes_of_source in holes.values())
    return {
        "title": _("Sources with hours when nobody is planned"),
        "figure": len(holes),
        "more": _("The first: %(interval)s") % {"interval": opening_hours.interval_text(first)},
        "link": calendar.hole_url(first),
        "is_pressing": True,
    }


def duplicates_number(request: HttpRequest) -> dict[str, Any]:
    """The number of pairs of leads that wait for a decision."""
    return {
        "title": _("Undecided duplicates"),
        "figure": count_undecided(request) or "0",
        "link": reverse("admin:leads_possibleduplicate_changelist"),
    }
