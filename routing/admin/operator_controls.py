"""The switch, the limit and the load of operators, wherever a page shows them; they follow what happens.

A page shows each with `duty_switch`, `limit_input` and `load`, and once `live_part`, which exchanges all of them.
"""

from collections.abc import Iterable

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from core.admin import formatting
from core.admin.live import live_response
from core.ids import is_id
from operators.models import Operator

MANY = 200  # operators on one page
EVERY = 30  # seconds


def may_view(request: HttpRequest) -> bool:
    return any(request.user.has_perm(f"operators.{verb}_operator") for verb in ("view", "change"))


def may_change(request: HttpRequest) -> bool:
    return request.user.has_perm("operators.change_operator")


def duty_switch(operator: Operator, *, may_change: bool) -> SafeString:
    return cell("duty", operator, rendered("routing/duty_switch.html", operator, may_change))


def limit_input(operator: Operator, *, may_change: bool) -> SafeString:
    return cell("limit", operator, rendered("routing/limit_input.html", operator, may_change))


def load(operator: Operator) -> SafeString:
    bar = formatting.load_bar(**operator.fullness)
    return cell("load", operator, format_html("{}{}", bar, next_contacts(operator)))


def rendered(template: str, operator: Operator, may_change: bool) -> SafeString:
    context = {"operator": operator, "may_change": may_change and operator.archived_at is None}
    return SafeString(render_to_string(template, context).strip())


def cell(name: str, operator: Operator, inside: SafeString) -> SafeString:
    return format_html('<span class="control" id="{}-{}">{}</span>', name, operator.pk, inside)


def next_contacts(operator: Operator) -> SafeString | str:
    """Until when a cap or the pace keeps contacts away; nothing if none does."""
    if operator.capped_until:
        words = _("No new contacts until %(time)s") % {"time": formatting.format_time(operator.capped_until)}
    elif operator.paced_until:
        words = _("Next from the queue at %(time)s") % {"time": formatting.format_time(operator.paced_until)}
    else:
        return ""
    return format_html('<div class="load-note">{}</div>', words)


def live_part(operators: Iterable[Operator]) -> SafeString:
    """An element without content that asks for the controls of these operators, which stand elsewhere on the page."""
    ids = ",".join(str(operator.pk) for operator in operators)
    url = reverse("operator_controls")
    return format_html('<div data-live="{}?ids={}" data-every="{}"></div>', url, ids, EVERY)


def controls(request: HttpRequest) -> HttpResponse:
    """The controls of the operators in `ids`, separated by commas, as elements that replace those with their ids."""
    if not may_view(request):
        raise PermissionDenied
    ids = [int(pk) for pk in request.GET.get("ids", "").split(",") if is_id(pk)][:MANY]
    operators = list(Operator.objects.filter(pk__in=ids).order_by("pk"))
    version = [
        (one.pk, one.name, one.is_active, one.max_load, one.current_load, one.capped_until, one.paced_until)
        for one in operators
    ]
    return live_response(request, version, lambda: all_controls(operators, may_change(request)))


def all_controls(operators: Iterable[Operator], is_editable: bool) -> str:
    cells = (
        cell
        for one in operators
        for cell in (
            duty_switch(one, may_change=is_editable),
            limit_input(one, may_change=is_editable),
            load(one),
        )
    )
    # Wherever on the page they stand: they are not content of the element that has asked.
    return "".join(cell.replace('class="control"', 'class="control" hx-swap-oob="true"', 1) for cell in cells)
