"""The page of a source's opening hours, and the holes in them that its page shows."""

from datetime import datetime, timedelta

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from core.admin.verbs import WORDS, acting_author
from core.admin.weekly_forms import WeeklyForm
from core.errors import Invalid, Overtaken
from operators.weekly import Interval
from routing import coverage, opening_hours
from routing.models import Source

AHEAD = timedelta(days=7)  # how far the page of a source looks for holes


def opening_hours_page(request: HttpRequest, source_id: int) -> HttpResponse:
    """Shows the weekly hours to users who may change sources, and stores them."""
    if not request.user.has_perm("routing.change_source"):
        raise PermissionDenied
    source = get_object_or_404(Source.objects.current(), pk=source_id)
    stored = opening_hours.stored_values(source_id)
    present = {"time_zone": stored["time_zone"] or "", "shifts": stored["weekly"]}
    form = WeeklyForm(request.POST if request.method == "POST" else None, present=present)
    if form.is_valid() and save_hours(request, source_id, form):
        messages.success(request, _("The opening hours were saved."))
        return redirect("routing_source_hours", source_id)
    now = timezone.now()
    context = {
        "title": _("Opening hours: %(source)s") % {"source": source},
        "form": form,
        "opens_at": source.opens_at,
        "holes": [interval_text(hole) for hole in coverage.holes(source_id=source_id, start=now, end=now + AHEAD)],
        "days": AHEAD.days,
        "time_zone": timezone.get_current_timezone_name(),
        "back": reverse("admin:routing_source_change", args=[source_id]),
        "calendar": f"{reverse('calendar')}?source={source_id}",
    }
    return render(request, "routing/opening_hours.html", admin.site.each_context(request) | context)


def save_hours(request: HttpRequest, source_id: int, form: WeeklyForm) -> bool:
    """Whether they were saved; if not, the form says why."""
    seen = form.seen and {"time_zone": form.seen["time_zone"] or None, "weekly": form.seen["shifts"]}
    try:
        opening_hours.set_opening_hours(source_id=source_id, **form.values, seen=seen, author=acting_author(request))
    except Invalid as invalid:
        form.show_refusal(invalid)
    except Overtaken:
        form.add_error(None, str(WORDS["changed_meanwhile"]))
    else:
        return True
    return False


def interval_text(interval: Interval) -> str:
    """ "Sat, 5 December, 09:00–18:00", in the time zone of the page; over midnight with both days."""
    start, end = map(timezone.localtime, interval)
    if end - timedelta(microseconds=1) < start.replace(hour=0, minute=0) + timedelta(days=1):
        return f"{day_text(start)}, {clock_text(start)}–{clock_text(end)}"
    return f"{day_text(start)}, {clock_text(start)} – {day_text(end)}, {clock_text(end)}"


def day_text(moment: datetime) -> str:
    return formats.date_format(moment, "D, j E")


def clock_text(moment: datetime) -> str:
    return formats.date_format(moment, "H:i")
