"""What would have been with the typed weights: asked on the page Distribution, and answered there."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from core.admin import formatting
from core.admin.live import live_response
from core.admin.verbs import acting_user, refusal_text
from core.errors import FieldError, Invalid, Refusal, Unknown
from core.ids import is_id
from operators.models import Operator
from routing.admin.distribution import cells
from routing.admin.distribution.page import may_change, may_view
from routing.models import Source, WhatIf
from routing.what_if import runs
from routing.what_if.answers import reason_text
from routing.what_if.prediction import Changes

DAYS = {"7": 7, "30": 30}
LEAST_DIFFERENCE = 0.0005  # of a share


@require_POST
def ask(request: HttpRequest) -> HttpResponse:
    """Asks about one source with the weights that stand in its column. Answers with a part of the page that follows the
    run, or says why it cannot be asked."""
    if not may_change(request):
        raise PermissionDenied
    try:
        run = ask_by_form(request)
    except Refusal as refusal:
        words = refusal.detail if isinstance(refusal, Invalid) else refusal_text(refusal)
        return render(request, "routing/what_if_answer.html", {"refusal": words})
    return render(request, "routing/what_if.html", {"run": run, "answer": answer_html(run)})


def ask_by_form(request: HttpRequest) -> WhatIf:
    source, days = request.POST.get("source", ""), DAYS.get(request.POST.get("days", ""))
    if not is_id(source) or days is None:
        raise Invalid(FieldError("source", "required", _("Choose a source and a period.")))
    edits = cells.read_edits(request.POST.get("cells", ""))
    stored = {pk: weight for (source_id, pk), weight in cells.stored_weights().items() if source_id == int(source)}
    column = {pk: weight for pk, weight in {**stored, **edits.of_source(int(source))}.items() if weight is not None}
    if not column:
        raise Invalid(FieldError("cells", "required", _("Nobody would be on the roster of this source.")))
    now = timezone.now()
    return runs.ask(
        source_id=int(source),
        since=now - timedelta(days=days),
        until=now,
        changes=Changes(column, {}, roster=sorted(column)),
        by=acting_user(request),
    )


@require_GET
def follow(request: HttpRequest, what_if_id: int) -> HttpResponse:
    """The inside of the part of the page, asked again and again until the run has ended."""
    if not may_view(request):
        raise PermissionDenied
    run = find(what_if_id)
    return live_response(request, (run.pk, run.status), lambda: answer_html(run))


@require_POST
def cancel(request: HttpRequest, what_if_id: int) -> HttpResponse:
    if not may_change(request):
        raise PermissionDenied
    find(what_if_id)
    return HttpResponse(answer_html(runs.cancel(run_id=what_if_id)))


def find(what_if_id: int) -> WhatIf:
    try:
        return runs.read_run(what_if_id)
    except Unknown as error:
        raise Http404 from error


def answer_html(run: WhatIf) -> SafeString:
    context: dict[str, Any] = {"run": run, "refusal": reason_text(run)}
    source = Source.objects.filter(pk=run.asked["source_id"]).first()
    _source_id, period, _changes = runs.read_asked(run)
    context |= {"source": source, "since": period.since, "until": period.until}
    if run.status == WhatIf.Status.DONE:
        context |= figures(run)
    return render_to_string("routing/what_if_answer.html", context)


def figures(run: WhatIf) -> dict[str, Any]:
    """The table and what the charts show; operators with the greatest share come first."""
    before, after = run.before or {}, run.after or {}
    shares = [{one["operator_id"]: one for one in its["operators"]} for its in (before, after)]
    ids = sorted({*shares[0], *shares[1]}, key=lambda pk: -shares[1].get(pk, {"share": 0})["share"])
    names = dict(Operator.objects.filter(pk__in=ids).values_list("pk", "name"))
    lines = [
        (names.get(pk, f"{pk}"), *(share_text(its.get(pk)) for its in shares), moved(*(its.get(pk) for its in shares)))
        for pk in ids
    ]
    waits = [
        (label, *(wait_text(its, name) for its in (before, after)))
        for name, label in (
            ("waiting_p50", _("Half of the contacts wait at most")),
            ("waiting_p90", _("9 of 10 contacts wait at most")),
            ("longest_queue", _("Longest queue")),
        )
    ]
    chart = {
        "names": [names.get(pk, f"{pk}") for pk in ids],
        "shares": [[100 * its.get(pk, {"share": 0})["share"] for pk in ids] for its in shares],
        "hours": [one["hour"] for one in before["queue_by_hour"]],
        "queue": [[one["waiting"] for one in its["queue_by_hour"]] for its in (before, after)],
        "bands": [[[one["low"], one["high"]] for one in its["queue_by_hour"]] for its in (before, after)],
    }
    return {"lines": lines, "waits": waits, "chart": chart}


def share_text(share: dict[str, float] | None) -> str:
    """ "62% (59% to 65%)"."""
    if share is None:
        return formatting.NOTHING
    numbers = {name: formatting.percent(100 * share[name]) for name in ("share", "low", "high")}
    return _("%(share)s (%(low)s to %(high)s)") % numbers


def moved(before: dict[str, float] | None, after: dict[str, float] | None) -> str:
    """ "+12.3", in points."""
    difference = (after or {"share": 0})["share"] - (before or {"share": 0})["share"]
    if abs(difference) < LEAST_DIFFERENCE:
        return "0"
    sign = "+" if difference > 0 else "\u2212"
    return sign + formats.number_format(round(abs(100 * difference), 1), 1)


def wait_text(figures: dict[str, float], name: str) -> str:
    """ "2 min (1 min to 3 min)"; the longest queue in contacts."""
    write = duration_text if name != "longest_queue" else lambda number: formats.number_format(round(number))
    numbers = {key: write(figures[f"{name}{end}"]) for key, end in (("value", ""), ("low", "_low"), ("high", "_high"))}
    if numbers["low"] == numbers["high"]:
        return numbers["value"]
    return _("%(value)s (%(low)s to %(high)s)") % numbers


def duration_text(seconds: float) -> str:
    if seconds < 60:
        return _("%(number)s s") % {"number": round(seconds)}
    if seconds < 3600:
        return _("%(number)s min") % {"number": round(seconds / 60)}
    return _("%(number)s h") % {"number": formats.number_format(round(seconds / 3600, 1), 1)}
