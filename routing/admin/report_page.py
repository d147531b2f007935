"""The page Reports, and its table as a file."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from core import spreadsheets
from core.errors import Refusal
from operators.models import Operator
from routing.admin.report_asked import GROUPS, OWN, PERIODS, Asked, days_of, read_asked
from routing.admin.report_table import chart_data, file_table, headings, line_of, lines, period_days
from routing.models import Source
from routing.report import GroupBy, make_report


def reports_page(request: HttpRequest) -> HttpResponse:
    """For users who may view contacts. A question that makes no sense is answered 400, with the page and a sentence."""
    raise_unless_permitted(request)
    asked, found, error = Asked(OWN, GroupBy.OPERATOR, *days_of("last_week", timezone.localdate())), None, ""
    try:
        asked = read_asked(request.GET)
        found = make_report(asked.question())
    except Refusal as refusal:
        error = refusal.detail
    context = admin.site.each_context(request) | choices(asked) | {"title": _("Reports"), "error": error}
    if found:
        context |= {
            "period": period_days(asked.first, asked.last),
            "headings": headings(found),
            "lines": lines(found),
            "total": line_of(found, found.total),
            "more": max(len(found.rows) - len(lines(found)), 0),
            "chart": chart_data(found),
            "has_contacts_file": request.user.has_perm("leads.view_lead"),
        }
    return render(request, "routing/reports.html", context, status=400 if error else 200)


def choices(asked: Asked) -> dict[str, Any]:
    """What else the page can be asked."""
    return {
        "asked": asked,
        "query": asked.query(),
        "periods": [(title, asked.query(period=name), name == asked.period) for name, title in PERIODS.items()],
        "groups": [(title, asked.query(group_by=name), name == asked.group_by) for name, title in GROUPS.items()],
        "is_own": asked.period == OWN,
        "first_day": asked.first.isoformat(),
        "last_day": asked.last.isoformat(),
        "sources": Source.objects.order_by("archived_at", "name", "pk"),
        "operators": Operator.objects.order_by("archived_at", "name", "pk"),
    }


def report_file(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The report of the same address as CSV or XLSX."""
    raise_unless_permitted(request)
    try:
        asked = read_asked(request.GET)
        found = make_report(asked.question())
    except Refusal:
        return reports_page(request)  # which says what is wrong
    name = f"report-{asked.group_by}-{asked.first}-{asked.last}"
    return spreadsheets.file_response(file_table(found), kind=kind, name=name)


def raise_unless_permitted(request: HttpRequest) -> None:
    if not (request.user.has_perm("routing.view_contact") or request.user.has_perm("routing.change_contact")):
        raise PermissionDenied
