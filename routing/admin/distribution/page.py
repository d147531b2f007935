"""The matrix of weights: read, edited and saved as one change, and taken from and to files."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core import text
from core.admin.toasts import show_toast, trigger
from core.admin.verbs import acting_user, refusal_text
from core.changes.models import LONGEST_REASON, Via
from core.changes.recording import Author
from core.errors import FieldError, Invalid, Overtaken, Refusal
from core.spreadsheets import CSV, file_response
from operators.models import Operator
from routing import fairness, source_actions, tallies
from routing.admin.distribution import cells
from routing.admin.distribution.cells import Edits, Weights
from routing.admin.distribution.words import fairness_words
from routing.admin.reports import PERIOD
from routing.models import Contact, Source

WEEK = timedelta(days=7)
MOST_PROBLEMS = 10


@dataclass(frozen=True, slots=True)
class Column:
    """`a_day`: contacts a day, of the last seven."""

    source: Source
    a_day: float


@dataclass(frozen=True, slots=True)
class Row:
    """`cells`: for each source the stored weight and the one that a file has, or "" for none."""

    operator: Operator
    cells: list[tuple[int | str, int | str | None]]


def may_view(request: HttpRequest) -> bool:
    return any(map(request.user.has_perm, ("routing.view_source", "routing.change_source")))


def may_change(request: HttpRequest) -> bool:
    return request.user.has_perm("routing.change_source")


@require_http_methods(["GET", "HEAD", "POST"])
def distribution_page(request: HttpRequest) -> HttpResponse:
    """For users who may view sources. POST: with a file, whose weights are shown in the cells and not saved yet."""
    if not may_view(request) or (request.method == "POST" and not may_change(request)):
        raise PermissionDenied
    typed: Weights = {}
    problems: list[str] = []
    if request.method == "POST":
        try:
            file = request.FILES.get("file")
            if file is None:
                raise Invalid(FieldError("file", "required", _("Choose a file first.")))
            typed, problems = cells.read_csv(file.read(cells.LARGEST_FILE + 1))
        except Invalid as refusal:
            problems = [refusal.detail]
    sources, operators = current_sources(), current_operators()
    stored = cells.stored_weights()
    context = {
        "title": _("Distribution"),
        "columns": columns_of(sources),
        "rows": rows_of(operators, sources, stored, typed),
        "may_change": may_change(request),
        "problems": problems[:MOST_PROBLEMS],
        "more_problems": max(len(problems) - MOST_PROBLEMS, 0),
        "from_file": len(typed) if request.method == "POST" else None,
        "longest_reason": LONGEST_REASON,
        "words": words_of_page(),
        **fairness_of(request),
    }
    return render(request, "routing/distribution.html", admin.site.each_context(request) | context)


def current_sources() -> list[Source]:
    return list(Source.objects.current().only("name", "opens_at").order_by("name", "pk"))


def current_operators() -> list[Operator]:
    return list(Operator.objects.current().only("name", "is_active").order_by("name", "pk"))


def columns_of(sources: Sequence[Source]) -> list[Column]:
    since = timezone.now() - WEEK
    counts = Counter(
        dict(Contact.objects.filter(created_at__gte=since).order_by().values_list("source").annotate(Count("pk")))
    )
    return [Column(source, counts[source.pk] / WEEK.days) for source in sources]


def rows_of(operators: Sequence[Operator], sources: Sequence[Source], stored: Weights, typed: Weights) -> list[Row]:
    def cell(source_id: int, operator_id: int) -> tuple[int | str, int | str | None]:
        pair = source_id, operator_id
        return stored.get(pair) or "", (typed[pair] or "") if pair in typed else None

    return [Row(operator, [cell(source.pk, operator.pk) for source in sources]) for operator in operators]


def fairness_of(request: HttpRequest) -> dict[str, Any]:
    """For users who may view contacts."""
    if not any(map(request.user.has_perm, ("routing.view_contact", "routing.change_contact"))):
        return {"shows_fairness": False}
    shares = fairness.distribution(since=tallies.floor_hour(timezone.now() - PERIOD))
    unfair, fine = fairness_words(shares)
    count = len(fine)
    folded = ngettext("%(count)d source is fine.", "%(count)d sources are fine.", count) % {"count": count}
    return {"shows_fairness": True, "days": PERIOD.days, "unfair": unfair, "fine": fine, "folded": folded}


def words_of_page() -> dict[str, str]:
    """What the script of the page says."""
    return {
        "nobody": _("nobody"),
        "nobodyOnDuty": _("nobody on duty"),
        "sourcesWithoutAnybody": _("Without anybody: {names}."),
        "sourcesOffDuty": _("Nobody on duty: {names}."),
        "noSource": _("on no roster"),
        "unchanged": _("Nothing is changed."),
        "changed": _("Cells changed: {cells}. Sources: {sources}."),
        "wrong": _("Not a weight: {cells}. Whole numbers from 1 to 100, or empty."),
        "pasted": _("{cells} of the pasted cells are beyond the edge of the table, and were left out."),
        "now": _("{weight} meanwhile"),
        "none": _("none"),
        "before": _("before"),
        "after": _("with these weights"),
        "share": _("Share of contacts, %"),
        "queue": _("Waiting on average, by hour of day"),
    }


@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Saves the cells that were changed, with a reason, as one change. Answers with a toast; if somebody was faster,
    with what is stored meanwhile in these cells, so that nothing typed is lost."""
    if not may_change(request):
        raise PermissionDenied
    edits = None
    try:
        edits = cells.read_edits(request.POST.get("cells", ""))
        reason = text.trim(text.replace_unstorable(request.POST.get("reason", "")))
        if len(reason) > LONGEST_REASON:
            words = _("The reason is too long: %(most)s characters at most.") % {"most": LONGEST_REASON}
            raise Invalid(FieldError("reason", "too_long", words))
        if not edits.weights:
            raise Invalid(FieldError("cells", "required", _("Nothing is changed.")))
        source_actions.change_rosters(
            rosters=edits.rosters(), author=Author(acting_user(request), Via.PAGE, reason=reason)
        )
    except Overtaken:
        return overtaken(edits)
    except Refusal as refusal:
        status = 422 if isinstance(refusal, Invalid) else 409
        words = refusal.detail if isinstance(refusal, Invalid) else refusal_text(refusal)
        return show_toast(HttpResponse(status=status), words, level="error")
    count = len(edits.weights)
    words = ngettext("%(count)d cell was saved.", "%(count)d cells were saved.", count) % {"count": count}
    return trigger(show_toast(HttpResponse(status=204), words), saved=True)


def overtaken(edits: Edits | None) -> HttpResponse:
    stored = cells.stored_weights()
    changed = [
        {"source": pair[0], "operator": pair[1], "weight": stored.get(pair)}
        for pair, seen in (edits.seen if edits else {}).items()
        if stored.get(pair) != seen
    ]
    words = _(
        "Somebody else was faster. Nothing was saved; the cells say what is stored meanwhile. Save again to replace it."
    )
    return trigger(show_toast(HttpResponse(status=409), words, level="error"), overtaken=changed)


@require_GET
def download(request: HttpRequest) -> HttpResponseBase:
    """The stored weights as CSV."""
    if not may_view(request):
        raise PermissionDenied
    rows = cells.csv_rows(current_sources(), current_operators(), cells.stored_weights())
    return file_response(rows, kind=CSV, name="distribution")
