"""The page *Now* and its live part."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.admin.live import digest, kept, live_response, wants_news
from routing import own_contacts
from routing.admin.now import charts, events, figures, holes, operators, sources
from routing.admin.now.snapshot import read_snapshot, read_version

EVERY = 20  # seconds between two questions of an open page
TRUSTED = 10.0  # seconds for which all open pages are shown the same

PERMISSIONS = (
    "operators.view_operator",
    "operators.change_operator",
    "routing.view_source",
    "routing.change_source",
    "routing.view_contact",
    "changes.view_change",
    "access.view_apikey",
    "auth.view_user",
    "auth.view_group",
    "notifications.view_webhook",
)

INDENTATION = re.compile(r"\s*\n\s*")
May = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Part:
    """The live part as HTML in UTF-8, and its digest, by which browsers know whether it is another."""

    body: bytes
    digest: str


def now_page(request: HttpRequest, more: dict[str, Any]) -> HttpResponse:
    """The page, with `more` in its context."""
    context = {
        "title": _("Now"),
        "part": SafeString(live_part(request, trusted=0).body.decode()),
        "every": EVERY,
        "shows_charts": may(request)("routing.view_contact"),
    }
    return render(request, "routing/now/page.html", admin.site.each_context(request) | context | more)


def now_live(request: HttpRequest) -> HttpResponse:
    """The live part alone. Refused to operators, whose start page is another."""
    if own_contacts.sees_only_own(request.user):
        raise PermissionDenied
    part = live_part(request, trusted=0 if wants_news(request) else TRUSTED)
    return live_response(request, part.digest, lambda: part.body)


def live_part(request: HttpRequest, *, trusted: float) -> Part:
    """The same for all users with the same permissions, language and time zone."""
    granted = frozenset(filter(may(request), PERMISSIONS))

    def make() -> Part:
        html = render_to_string("routing/now/live.html", live_context(granted.__contains__))
        body = INDENTATION.sub("\n", html).encode()  # a third is indentation
        return Part(body, digest(body))

    part: Part = kept("now", sorted(granted), lambda: read_version(timezone.now()), make, trusted=trusted)
    return part


def may(request: HttpRequest) -> May:
    """Whether the user may see this. Who may change something may view it, as in all of the back-office."""
    has = request.user.has_perm
    return lambda permission: (
        has(permission) or (".view_" in permission and has(permission.replace(".view_", ".change_")))
    )


def live_context(allowed: May) -> dict[str, Any]:
    """What the user may see. `allowed` says whether the user has a permission of PERMISSIONS."""
    now = timezone.now()
    snapshot = read_snapshot(now)
    sees_operators, sees_sources = allowed("operators.view_operator"), allowed("routing.view_source")
    sees_contacts = allowed("routing.view_contact")
    lines = sources.source_lines(snapshot) if sees_sources else []
    may_change = allowed("operators.change_operator")
    shown_operators = operators.operator_lines(snapshot, may_change=may_change) if sees_operators else []
    hours = charts.hours_of_today(now) if sees_contacts else []
    return {
        "now": now,
        "granted": [permission for permission in PERMISSIONS if allowed(permission)],
        "sees_operators": sees_operators,
        "sees_sources": sees_sources,
        "sees_contacts": sees_contacts,
        "figures": [
            *(figures.of_contacts(snapshot) if sees_contacts else []),
            *(figures.of_operators(snapshot) if sees_operators else []),
        ],
        "sources": lines[: sources.SHOWN],
        "more_sources": max(len(lines) - sources.SHOWN, 0),
        "operators": shown_operators,
        "more_operators": max(len(snapshot.operators) - operators.SHOWN, 0),
        "holes": holes.list_holes(now) if sees_operators and sees_sources else [],
        "events": events.last_events(allowed),
        "hours": hours,
        "chart_data": charts.chart_data(hours),
    }
