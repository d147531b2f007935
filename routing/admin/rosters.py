"""The roster on the page of its source: who is on it, with which weight and share. Changes apply at once."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from core.admin import formatting
from core.admin.live import live_response
from core.admin.questions import ask, is_sure
from core.admin.verbs import acting_author
from core.errors import Conflict, FieldError, Invalid, Overtaken, Refusal
from core.ids import is_id
from operators.models import Operator
from routing import source_actions
from routing.admin import change_sentences, consequences, operator_controls, switches
from routing.models import WEIGHTS, RosterEntry, Source

PER_PAGE = 50
PAGE = "roster-page"  # the parameter of the source's page


class OperatorChoice(AutocompleteSelect):
    """Says what to choose: while nothing is chosen, a reader of the screen hears nothing else."""

    def build_attrs(self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None) -> dict[str, Any]:
        return super().build_attrs(base_attrs, extra_attrs) | {"data-placeholder": _("Choose an operator")}


class AddForm(forms.Form):
    """Chooses who joins the roster."""

    operator = forms.ModelChoiceField(
        label=gettext_lazy("Operator"),
        queryset=Operator.objects.current(),
        widget=OperatorChoice(RosterEntry._meta.get_field("operator"), admin.site),
    )


def may_view(request: HttpRequest) -> bool:
    return any(request.user.has_perm(f"routing.{verb}_source") for verb in ("view", "change"))


def may_change(request: HttpRequest, source: Source | None = None) -> bool:
    return request.user.has_perm("routing.change_source") and not (source and source.archived_at)


def roster_panel(request: HttpRequest, source: Source) -> dict[str, Any]:
    """The context of `routing/roster.html`: the table, where it asks again, and the form that adds somebody."""
    number = request.GET.get(PAGE, "")
    return {
        "table": roster_table(request, source),
        "url": f"{reverse('source_roster', args=[source.pk])}?{PAGE}={number if is_id(number) else 1}",
        "every": operator_controls.EVERY,
        "add": AddForm() if may_change(request, source) else None,
        "set_url": reverse("roster_set", args=[source.pk]),
    }


def source_roster(request: HttpRequest, source_id: int) -> HttpResponse:
    """The table, for the page that follows it."""
    if not may_view(request):
        raise PermissionDenied
    source = Source.objects.filter(pk=source_id).first()
    if source is None:
        raise Http404
    table = roster_table(request, source)
    return live_response(request, table, lambda: table)


def roster_table(request: HttpRequest, source: Source) -> str:
    """One page of the roster, with shares and sums of the whole."""
    roster = RosterEntry.objects.filter(source=source, operator__archived_at__isnull=True)
    on_duty = Sum("weight", filter=Q(operator__is_active=True))
    sums = roster.aggregate(count=Count("pk"), total=Sum("weight", default=0), on_duty=on_duty)
    on_duty_total = sums["on_duty"] or 0
    pages = Paginator(roster.select_related("operator").order_by("operator__name", "operator"), PER_PAGE)
    pages.count = sums["count"]  # counted above, with the sums
    page = pages.get_page(request.GET.get(PAGE))
    may_switch = operator_controls.may_change(request)
    context = {
        "source": source,
        "page": page,
        "page_parameter": PAGE,
        "rows": [entry_row(entry, sums["total"], on_duty_total, may_switch=may_switch) for entry in page],
        "total": sums["total"],
        "on_duty_total": on_duty_total,
        "may_change": may_change(request, source),
        "may_view_operators": operator_controls.may_view(request),
        "set_url": reverse("roster_set", args=[source.pk]),
    }
    return render_to_string("routing/roster_table.html", context)


def entry_row(entry: RosterEntry, total: int, on_duty_total: int, *, may_switch: bool) -> dict[str, Any]:
    """`share`: of all; `share_now`: of those on duty."""
    operator = entry.operator
    return {
        "operator": operator,
        "weight": entry.weight,
        "share": formatting.share(entry.weight, total),
        "share_now": formatting.share(entry.weight, on_duty_total) if operator.is_active else formatting.NOTHING,
        "duty": operator_controls.duty_switch(operator, may_change=may_switch),
        "load": operator_controls.load(operator),
    }


def read_weight(text: str) -> int | None:
    """The weight; None for an empty text: not on the roster."""
    if not text:
        return None
    weight = int(text) if is_id(text) else 0
    if not WEIGHTS[0] <= weight <= WEIGHTS[1]:
        raise Invalid(FieldError("weight", "invalid", _("The weight must be a whole number from 1 to 100.")))
    return weight


@require_POST
def set_roster(request: HttpRequest, source_id: int) -> HttpResponse:
    """Gives `operator` this `weight` on the roster; without a weight the operator leaves it.

    `seen`: the weight that the page has shown, empty for somebody who was not on it; nothing is changed if the stored
    one is another. Answers as `switches.set_operator` does.
    """
    if not may_change(request):
        raise PermissionDenied
    before, author = switches.last_change(), acting_author(request)
    try:
        operator_id = read_operator(request.POST.get("operator", ""))
        weight = read_weight(request.POST.get("weight", "").strip())
        seen = read_weight(request.POST.get("seen", ""))
        if weight is None and seen is None:
            raise Invalid(FieldError("weight", "required", _("Give the weight, from 1 to 100.")))
        if weight is None and (question := question_before_leaving(request, source_id, operator_id)) is not None:
            return question
        source_actions.change_roster(
            source_id=source_id,
            weights={} if weight is None else {operator_id: weight},
            leaving=[operator_id] if weight is None else [],
            seen={operator_id: seen} if "seen" in request.POST else None,
            author=author,
        )
    except Overtaken as refusal:
        already = Conflict("on_roster", _("This operator is on the roster already."))
        return switches.refused(already if seen is None else refusal)
    except Refusal as refusal:
        return switches.refused(refusal)
    made = switches.latest_since(before, request, what="roster.changed", source_id=source_id)
    text = change_sentences.change_text(made, change_sentences.read_names([made])) if made else _("It was so already.")
    return switches.done(text, switches.undo_url(request, made))


def read_operator(text: str) -> int:
    if not is_id(text):
        raise Invalid(FieldError("operator", "required", _("Choose an operator.")))
    return int(text)


def question_before_leaving(request: HttpRequest, source_id: int, operator_id: int) -> HttpResponse | None:
    """The question, if this leaves a source or an operator without, and the user has not confirmed it."""
    source = Source.objects.current().filter(pk=source_id).first()
    operator = Operator.objects.current().filter(pk=operator_id).first()
    if source is None or operator is None or is_sure(request):
        return None
    if not (harm := consequences.of_leaving_roster(source, operator)):
        return None
    title = _("Remove %(name)s from the roster of %(source)s?") % {"name": operator, "source": source}
    return ask(request, title=title, sentences=harm, submit=_("Remove from the roster"))
