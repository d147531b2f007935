"""The leave wizard: who is away and when; what would happen, as a forecast; the leave; and taking it back for a day.

The forecast is asked for with GET, so that its page can be reloaded and shown in the other language. The reason, which
may be private, is not in that address: it is asked beside the forecast.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
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
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from core.admin import formatting
from core.admin.forms import TrimmedField, forget_typed
from core.admin.verbs import acting_author, refusal_text
from core.errors import Refusal
from operators.models import Absence, Operator
from operators.weekly import Interval, Weekly
from routing import explanation, holidays, leave
from routing.admin.shifts import overlap_text
from routing.leave import Colleague, Forecast, LeavePreview, SourceForecast, UndoResult

RECENT = 20  # leaves that can be undone, shown on the page
HOLES = 10  # intervals shown for one source
NAMED = 10  # contacts named in a message
SHARES = 10  # colleagues shown for one source
MOMENTS = ("start", "end")
YEARS = (date(2000, 1, 1), date(9000, 1, 1))
LONGEST = timedelta(days=5 * 366)

Table = dict[str, list[Any]]


class Native(UnfoldAdminTextInputWidget):
    """An input for which the browser has its own calendar or clock."""

    def __init__(self, input_type: str) -> None:
        super().__init__()
        self.input_type = input_type


class Day(forms.DateField):
    def __init__(self, label: Any) -> None:
        super().__init__(label=label, input_formats=["%Y-%m-%d"], widget=Native("date"))

    def prepare_value(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else value


class Clock(forms.TimeField):
    def __init__(self, label: Any, help_text: Any) -> None:
        super().__init__(
            label=label, help_text=help_text, required=False, input_formats=["%H:%M"], widget=Native("time")
        )

    def prepare_value(self, value: Any) -> Any:
        return value.strftime("%H:%M") if isinstance(value, time) else value


class LeaveForm(forms.Form):
    """Who is away from when to when: whole days, unless there are times of day. In the time zone of the schedule."""

    operator = forms.ModelChoiceField(
        Operator.objects.none(), label=gettext_lazy("Operator"), widget=UnfoldAdminSelectWidget
    )
    first = Day(gettext_lazy("First day"))
    first_time = Clock(gettext_lazy("From time"), gettext_lazy("Empty: from the beginning of the first day."))
    last = Day(gettext_lazy("Last day"))
    last_time = Clock(gettext_lazy("To time"), gettext_lazy("Empty: to the end of the last day."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["operator"].queryset = Operator.objects.current().order_by("name", "pk")  # type: ignore[attr-defined]
        forget_typed(self.fields.values())

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if self.errors:
            return given
        if not (YEARS[0] <= given["first"] <= YEARS[1] and given["last"] - given["first"] <= LONGEST):
            self.add_error("last", _("A leave has at most five years."))
        elif given["last"] < given["first"]:
            self.add_error("last", _("The last day is before the first one."))
        else:
            self.clean_moments(given)
        return given

    def clean_moments(self, given: dict[str, Any]) -> None:
        given["zone"] = zone = holidays.zone_of(given["operator"])
        given["start"] = moment(zone, given["first"], given["first_time"] or time.min)
        end_day = given["last"] + timedelta(days=given["last_time"] is None)
        given["end"] = moment(zone, end_day, given["last_time"] or time.min)
        if given["end"] <= given["start"]:
            self.add_error("last_time", _("It must end after it begins."))
        elif given["end"] <= timezone.now():
            self.add_error("last", _("It must end in the future."))


class DetailsForm(forms.Form):
    """What is asked beside the forecast."""

    handover = forms.BooleanField(
        label=gettext_lazy("Hand over open contacts"), required=False, widget=UnfoldBooleanSwitchWidget
    )
    reason = TrimmedField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("For supervisors, such as “holiday”; you may leave it empty."),
    )


def moment(zone: ZoneInfo, day: date, clock: time) -> datetime:
    return Weekly(zone, ()).reached(day, clock)


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


def forecast(preview: LeavePreview, zone: ZoneInfo) -> dict[str, Any]:
    """What the template shows of the preview."""
    return {
        "preview": preview,
        "period": period_text(preview.start, preview.end, zone),
        "zone": zone.key,
        "page_zone": timezone.get_current_timezone_name(),
        "back": reverse("leave"),
        "summary": summary_text(preview),
        "colleagues": colleagues_table(preview.colleagues),
        "contacts": contacts_table(preview.contacts),
        "sources": sources_table(preview.sources),
    }


def summary_text(preview: LeavePreview) -> str:
    number = len(preview.contacts)
    if not number:
        return _("There are no open contacts to hand over.")
    return ngettext(
        "If handed over now: of %(count)d open contact %(given)d would go to colleagues, %(queued)d to the queue.",
        "If handed over now: of %(count)d open contacts %(given)d would go to colleagues, %(queued)d to the queue.",
        number,
    ) % {"count": number, "given": number - preview.queued, "queued": preview.queued}


def colleagues_table(colleagues: Sequence[Colleague]) -> Table:
    return {
        "headers": [capfirst(_("operator")), _("Would get"), _("Load before"), _("Load after")],
        "rows": [
            [
                formatting.change_page_link(one.operator),
                formats.number_format(one.gets),
                load_bar(one.load, one.operator.max_load),
                load_bar(one.load + one.gets, one.operator.max_load),
            ]
            for one in colleagues
        ],
    }


def load_bar(load: int, limit: int) -> SafeString:
    return formatting.load_bar(load=load, limit=limit, obstacle="full" if load >= limit else None)


def contacts_table(contacts: Sequence[Forecast]) -> Table:
    return {
        "headers": [capfirst(_("contact")), capfirst(_("lead")), capfirst(_("source")), _("Would go to")],
        "rows": [
            [formatting.change_page_link(one.contact), str(one.contact.lead), one.contact.source, destination_text(one)]
            for one in contacts
        ],
    }


def destination_text(one: Forecast) -> SafeString | str:
    """ "Boris (60%)" or "the queue (everybody is at the limit)"."""
    if one.operator is None:
        words = _("the queue (%(reason)s)") % {"reason": explanation.reason_text(one.reason or "")}
        return format_html('<span class="unfair">{}</span>', words)
    if one.chance is None or one.chance >= 1:
        return one.operator.name
    return _("%(name)s (chance %(chance)s)") % {
        "name": one.operator.name,
        "chance": formatting.percent(round(100 * one.chance)),
    }


def sources_table(sources: Sequence[SourceForecast]) -> Table:
    return {
        "headers": [capfirst(_("source")), _("Shares by weight"), _("Nobody is planned")],
        "rows": [
            [formatting.change_page_link(one.source), one_cell(share_lines(one)), one_cell(hole_lines(one))]
            for one in sources
        ],
    }


def one_cell(lines: Sequence[object]) -> SafeString:
    """The lines one below the other, also on small screens, where a cell puts its parts side by side."""
    return format_html("<div>{}</div>", formatting.stacked(lines))


def share_lines(one: SourceForecast) -> list[object]:
    lines = [
        f"{share.operator}: {formatting.percent(100 * share.before)} → {formatting.percent(100 * share.after)}"
        for share in one.shares
    ]
    return shortened(lines, SHARES)


def hole_lines(one: SourceForecast) -> list[object]:
    """Those because of the leave in red, then those that are there anyway."""
    because = [format_html('<span class="unfair">{}</span>', interval_text(hole)) for hole in one.holes]
    anyway = [
        _("%(interval)s (also without the leave)") % {"interval": interval_text(hole)} for hole in one.other_holes
    ]
    return [*shortened(because, HOLES), *shortened(anyway, HOLES)]


def shortened(lines: Sequence[object], most: int) -> list[object]:
    more = len(lines) - most
    return [*lines[:most], *([_("And %(number)s more.") % {"number": more}] if more > 0 else [])]


def interval_text(interval: Interval) -> str:
    """ "Mon 30.11.2026 09:00 – 18:00", in the time zone of the page."""
    return period_text(*interval, timezone.get_current_timezone())


def away_text(absence: Absence) -> str:
    """On the operator's clock, which is named if it is not that of the page: there, days begin at midnight."""
    zone = holidays.zone_of(absence.operator)
    period = period_text(absence.start, absence.end, zone)
    return period if zone.key == timezone.get_current_timezone_name() else f"{period} ({zone.key})"


def period_text(start: datetime, end: datetime, zone: tzinfo) -> str:
    begin, until = start.astimezone(zone), end.astimezone(zone)
    is_one_day = begin.date() == until.date()
    return f"{moment_text(begin)} – {formats.date_format(until, 'H:i') if is_one_day else moment_text(until)}"


def moment_text(local: datetime) -> str:
    return f"{formats.date_format(local, 'D')} {formats.date_format(local, 'SHORT_DATETIME_FORMAT')}"


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
