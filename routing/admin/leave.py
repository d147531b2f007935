"""The leave wizard: who is away and when; what would happen, as a forecast; the leave; and taking it back for a day.

The forecast is asked for with GET, so that its page can be reloaded and shown in the other language. The reason, which
may be private, is not in that address: it is asked beside the forecast.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from core.admin import formatting
from core.admin.verbs import acting_author, refusal_text
from core.errors import Refusal
from operators.models import Absence
from routing import holidays, leave
from routing.admin.leave_forecast import Table, forecast, period_text
from routing.admin.leave_forms import DetailsForm, LeaveForm
from routing.admin.shifts import overlap_text
from routing.leave import UndoResult

RECENT = 20  # leaves that can be undone, shown on the page
NAMED = 10  # contacts named in a message
MOMENTS = ("start", "end")


def for_supervisors(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Users who may change operators may send them on leave. Others are refused before the method is looked at."""

    @wraps(view)
    def answer(request: HttpRequest, **named: Any) -> HttpResponse:
        if not request.user.has_perm("operators.change_operator"):
            raise PermissionDenied
        return view(request, **named)

    return answer


@for_supervisors
def leave_page(request: HttpRequest) -> HttpResponse:
    """Who and when; with an answer to that also the forecast. POST applies the leave."""
    sent = request.POST if request.method == "POST" else request.GET
    form = LeaveForm(sent) if "first" in sent else LeaveForm(initial=next_week() | sent.dict())
    if not form.is_valid():
        return show(request, {"form": form})
    asked = {"operator_id": form.cleaned_data["operator"].pk, **{name: form.cleaned_data[name] for name in MOMENTS}}
    details = DetailsForm(request.POST if request.method == "POST" else None, initial={"handover": True})
    try:
        if details.is_valid():
            absence = leave.apply_leave(**asked, **details.cleaned_data, author=acting_author(request))
            messages.success(request, applied_text(absence))
            return redirect("leave")
    except Refusal as refusal:
        operator, start, end = form.cleaned_data["operator"], asked["start"], asked["end"]
        overlaps = refusal.code == "overlaps"
        with timezone.override(form.cleaned_data["zone"]):
            details.add_error(None, overlap_text(operator, start, end) if overlaps else refusal_text(refusal))
    try:
        preview = leave.preview_leave(**asked)
    except Refusal as refusal:  # archived meanwhile
        form.add_error(None, refusal_text(refusal))
        return show(request, {"form": form})
    given = {"form": form, "details": details, "sent": [(one.html_name, one.value() or "") for one in form]}
    return show(request, given | forecast(preview, form.cleaned_data["zone"]))


@for_supervisors
@require_POST
def undo_page(request: HttpRequest, absence_id: int) -> HttpResponse:
    try:
        result = leave.undo_leave(absence_id=absence_id, author=acting_author(request))
    except Refusal as refusal:
        messages.error(request, refusal_text(refusal))
    else:
        level = messages.WARNING if result.moved_on or result.no_place else messages.SUCCESS
        messages.add_message(request, level, undone_text(result))
    return redirect("leave")


def show(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    recent = recent_table(leave.recent_leaves(most=RECENT))
    page = {"title": _("Leave"), "recent": recent, "time_zone": settings.TIME_ZONE}
    return render(request, "routing/leave.html", admin.site.each_context(request) | page | context)


def next_week() -> dict[str, Any]:
    """Monday to Friday of next week."""
    today = timezone.localdate()
    monday = today + timedelta(days=7 - today.weekday())
    return {"first": monday, "last": monday + timedelta(days=4)}


def away_text(absence: Absence) -> str:
    """On the operator's clock, which is named if it is not that of the page: there, days begin at midnight."""
    zone = holidays.zone_of(absence.operator)
    period = period_text(absence.start, absence.end, zone)
    return period if zone.key == timezone.get_current_timezone_name() else f"{period} ({zone.key})"


def recent_table(leaves: Sequence[Absence]) -> Table:
    return {
        "headers": [capfirst(_("operator")), _("Away"), capfirst(_("reason")), _("Handed over"), ""],
        "rows": [
            [
                formatting.change_page_link(one.operator),
                away_text(one),
                one.reason or formatting.NOTHING,
                formatting.NOTHING if one.moved is None else formats.number_format(len(one.moved)),
                undo_button(one),
            ]
            for one in leaves
        ],
    }


def undo_button(absence: Absence) -> SafeString:
    """It sends the form that is elsewhere on the page."""
    url = reverse("undo_leave", args=[absence.pk])
    return format_html(
        '<button type="submit" form="undo-leave" formaction="{}" class="ask">{}</button>', url, _("Undo")
    )


def applied_text(absence: Absence) -> SafeString:
    """With the button that takes it back."""
    found = {"name": absence.operator.name, "period": away_text(absence)}
    words = [_("%(name)s: away %(period)s.") % found]
    if absence.moved is not None:
        words.append(handed_over_text([given_to for _contact, given_to in absence.moved]))
    elif absence.began_at is None:
        words.append(_("It begins by itself."))
    return format_html("{} {}", " ".join(words), undo_button(absence))


def handed_over_text(given_to: Sequence[int | None]) -> str:
    queued = sum(operator_id is None for operator_id in given_to)
    return _("Handed over: %(reassigned)d, in the queue: %(queued)d.") % {
        "reassigned": len(given_to) - queued,
        "queued": queued,
    }


def undone_text(result: UndoResult) -> SafeString:
    number = len(result.given_back)
    words: list[object] = [_("The leave is undone.")]
    if number:
        words.append(
            ngettext("%(count)d contact was given back.", "%(count)d contacts were given back.", number)
            % {"count": number}
        )
    if result.moved_on:
        words.append(format_html("{} {}.", _("Moved on since, and left there:"), contact_links(result.moved_on)))
    if result.no_place:
        words.append(format_html("{} {}.", _("Left with others, for want of places:"), contact_links(result.no_place)))
    return format_html_join(" ", "{}", ((one,) for one in words))


def contact_links(contact_ids: Sequence[int]) -> SafeString:
    links = [formatting.link(reverse("admin:routing_contact_change", args=[pk]), pk) for pk in contact_ids[:NAMED]]
    more = len(contact_ids) - NAMED
    return format_html_join(", ", "{}", ((one,) for one in [*links, *([f"+ {more}"] if more > 0 else [])]))
