"""How loads, shares and people look in the back-office."""

from collections.abc import Iterable

from django.db.models import Model
from django.urls import reverse
from django.utils import formats
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from leads.models import Lead
from operators.models import Obstacle, Operator

NOTHING = "–"
SHOWN = 3


def load(operator: Operator) -> SafeString:
    """ "3 of 10" and a bar; red when full, grey off duty."""
    filled = min(100, round(100 * operator.current_load / operator.max_load))
    state = {Obstacle.FULL: "full", Obstacle.INACTIVE: "away", None: "free"}[operator.obstacle]
    words = _("%(load)s of %(limit)s") % {"load": operator.current_load, "limit": operator.max_load}
    return format_html(
        '<span class="load load-{}"><span class="load-bar"><span style="width: {}%"></span></span>{}</span>',
        state,
        filled,
        words,
    )


def share(weight: int, total: int) -> str:
    """The share that a weight stands for."""
    return percent(100 * weight / total)


def percent(number: float) -> str:
    """With at most one decimal."""
    rounded = round(number, 1)
    return _("%(number)s%%") % {"number": formats.number_format(rounded, 0 if rounded.is_integer() else 1)}


def first_few(names: Iterable[str]) -> str:
    """ "Anna, Boris, Vera and 5 more": lists stay short however long the roster."""
    listed = list(names)
    shown, more = ", ".join(listed[:SHOWN]), len(listed) - SHOWN
    if more <= 0:
        return shown or NOTHING
    return ngettext("%(names)s and %(count)d more", "%(names)s and %(count)d more", more) % {
        "names": shown,
        "count": more,
    }


def link(target: Model, text: str | None = None) -> SafeString:
    url = reverse(f"admin:{target._meta.app_label}_{target._meta.model_name}_change", args=[target.pk])
    return format_html('<a href="{}" class="text-link">{}</a>', url, text or target)


def lines(rows: Iterable[object]) -> SafeString | str:
    """One under the other."""
    return format_html_join("", "<div>{}</div>", ((row,) for row in rows)) or NOTHING


def reached_by(lead: Lead) -> str:
    """The phone and e-mail that the lead was known by first."""
    return ", ".join(filter(None, [lead.phone, lead.email])) or NOTHING


def weighed(name: str, weight: int, total: int) -> str:
    """ "Telegram: 10 (25%)": a weight means little without its share."""
    return f"{name}: {weight} ({share(weight, total)})"
