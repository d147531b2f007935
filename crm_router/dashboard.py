"""The start page: *Now* for supervisors, their own contacts for operators. And the first steps of a new service."""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from access.models import ApiKey
from accounts.models import Profile
from core.admin.live import live_response
from operators.models import Operator
from routing import own_contacts
from routing.admin.now import page
from routing.models import Contact, RosterEntry, Source


@dataclass(frozen=True, slots=True)
class Step:
    text: str
    url: str
    is_done: bool


def start(request: HttpRequest) -> HttpResponse:
    """The first page: their own contacts for operators, *Now* for everyone else."""
    if own_contacts.sees_only_own(request.user):
        return redirect(own_contacts.own_contacts_url())
    return page.now_page(request, {"steps_html": steps_html(first_steps(request))})


def steps_live(request: HttpRequest) -> HttpResponse:
    """The first steps alone, which are ticked while one works in another tab."""
    if own_contacts.sees_only_own(request.user):
        raise PermissionDenied
    steps = first_steps(request)
    return live_response(request, steps, lambda: steps_html(steps))


def first_steps(request: HttpRequest) -> list[Step]:
    """What a new service needs before it routes contacts, of what the user may do. Empty when all of it is done; one's
    own time zone alone keeps nobody here."""
    may = request.user.has_perm
    known = [
        ("operators.add_operator", _("Add an operator"), "admin:operators_operator_add", Operator.objects.current()),
        ("routing.add_source", _("Add a source"), "admin:routing_source_add", Source.objects.current()),
        (
            "routing.change_source",
            _("Put somebody on the roster of a source"),
            "admin:routing_source_changelist",
            RosterEntry.objects.current(),
        ),
        ("access.add_apikey", _("Make a key for your bot"), "admin:access_apikey_add", ApiKey.objects.all()),
        ("routing.view_contact", _("Let your bot send the first contact"), "docs", Contact.objects.all()),
    ]
    steps = [Step(text, reverse(view), rows.exists()) for right, text, view, rows in known if may(right)]
    if settings.API_KEYS == "open":  # bots need none
        steps = [step for step in steps if step.url != reverse("admin:access_apikey_add")]
    if all(step.is_done for step in steps):
        return []
    has_zone = Profile.objects.filter(user=request.user.pk).exclude(time_zone="").exists()
    return [*steps, Step(_("Choose your time zone"), reverse("own_profile"), has_zone)]


def steps_html(steps: list[Step]) -> str:
    return render_to_string("first_steps.html", {"steps": steps}) if steps else ""
